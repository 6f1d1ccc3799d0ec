// Find: search as you type over title, artist, album and genre.

import { h, setText } from "./dom.js";
import { findChips } from "./find_chips.js";
import { firstRowsFirst } from "./first_rows.js";
import { albumAndGenre, count } from "./format.js";
import { icon } from "./icons.js";
import { session } from "./keep.js";
import { trackList } from "./list.js";
import { markFound } from "./search_marks.js";

const SKELETON_AFTER_MS = 180;
const RECENT = "segue.searches";
const RECENT_KEPT = 8;

export function findPage(app) {
  const { search } = app;
  const input = h("input", {
    class: "find-input",
    type: "search",
    "data-testid": "find-input",
    placeholder: "Title, artist, album or genre",
    "aria-label": "Find music",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 200,
    oninput: typed,
    onkeydown: steerInput,
  });
  const recent = h("div", {
    class: "find-line",
    role: "group",
    "aria-label": "Recent searches",
    hidden: true,
  });
  const chips = findChips(search);
  const tally = h("p", { class: "live-line", role: "status" });
  const none = h("p", { class: "unseen", role: "status" });
  const list = trackList(app, { label: "Found", testid: "find-results", entries: () => items });
  const rows = firstRowsFirst(list);
  const more = h(
    "button",
    { class: "button quiet-button", type: "button", hidden: true, onclick: search.more },
    "Show more",
  );
  const element = h(
    "div",
    { class: "view view-find" },
    h("h1", { class: "page-title" }, "Find"),
    h("div", { class: "find-field" }, icon("find"), input),
    h("div", { class: "find-chips" }, recent, chips.element),
    tally,
    none,
    list.element,
    more,
  );
  const nearEnd = new IntersectionObserver(
    (changes) => changes.some((each) => each.isIntersecting) && search.more(),
    { rootMargin: "400px" },
  );
  nearEnd.observe(more);
  list.element.addEventListener("keydown", steerResults);
  list.element.addEventListener("click", remember);
  let skeletons = 0;
  let items = [];

  search.on("asking", ({ offset }) => {
    clearTimeout(skeletons);
    if (!offset) skeletons = setTimeout(() => list.loading(8), SKELETON_AFTER_MS);
  });
  search.on("found", ({ text, tracks, total, facets }) => {
    clearTimeout(skeletons);
    const asksForMore = document.activeElement === more;
    const before = list.items().length;
    chips.show(facets);
    setText(none, "");
    setText(tally, tracks.length ? `${count(total, "track")}${text ? "" : " in all"}` : "");
    items = tracks.map((card) => ({ card, source: { list: "find" }, why: { text: albumAndGenre(card) } }));
    if (!items.length) nothingFound(text);
    else
      rows.show(items, (all) => {
        // With the first rows alone its end would be in sight, and more be asked for.
        more.hidden = !all || tracks.length >= total;
        for (const words of list.element.querySelectorAll(".row-words")) markFound(words, text);
        if (all && asksForMore && more.hidden) list.focus(before);
      });
  });
  search.on("failed", (text) => {
    clearTimeout(skeletons);
    rows.stop();
    more.hidden = true;
    setText(tally, "");
    list.failed(text, { label: "Try again", act: search.again });
  });

  function nothingFound(text) {
    rows.stop();
    more.hidden = true;
    setText(none, text ? `Nothing is called “${text}” here.` : "");
    if (Object.keys(search.chosen()).length)
      list.empty("Nothing here is all of that.", { label: "Look in everything", act: widen });
    else
      list.empty(
        text ? `Nothing is called “${text}” here.` : "There is no music here yet.",
        text ? { label: "Show everything", act: () => look("") } : null,
      );
  }

  function typed() {
    search.type(input.value.trim());
    showRecent();
  }

  function look(text) {
    input.value = text;
    typed();
    input.focus();
  }

  function widen() {
    search.widen();
    input.focus();
  }

  /** What led somewhere is worth to be had again, in this tab and until one logs out. */
  function remember() {
    const text = input.value.trim();
    if (!text) return;
    const others = recentSearches().filter((each) => each !== text);
    session.set(RECENT, [text, ...others].slice(0, RECENT_KEPT));
  }

  function recentSearches() {
    const kept = session.get(RECENT);
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  }

  function showRecent() {
    const texts = recentSearches();
    recent.hidden = Boolean(input.value.trim()) || !texts.length;
    if (recent.hidden) return;
    const forget = () => {
      session.remove(RECENT);
      look("");
    };
    recent.replaceChildren(
      ...texts.map((text) => chip(text, () => look(text))),
      chip("Forget these", forget, "find-chip find-forget"),
    );
  }

  function chip(words, onclick, kind = "find-chip") {
    return h("button", { class: kind, type: "button", onclick }, words);
  }

  function titles() {
    return [...list.element.querySelectorAll(".row-title")];
  }

  function steerInput(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") remember();
    const first = event.key === "ArrowDown" ? titles()[0] : null;
    if (!first) return;
    event.preventDefault();
    first.focus();
  }

  /** Up and down walk through what was found, from the first one up into the field. */
  function steerResults(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest(".row");
    if (!step || !row || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const to = titles().indexOf(row.querySelector(".row-title")) + step;
    (to < 0 ? input : (titles()[to] ?? event.target)).focus();
  }

  return {
    element,
    title: "Find",
    shown({ focus, about: text }) {
      if (text) input.value = text;
      typed();
      if (focus) input.focus();
      input.select();
    },
    close() {
      clearTimeout(skeletons);
      rows.stop();
      nearEnd.disconnect();
      list.close();
      search.close();
    },
  };
}
