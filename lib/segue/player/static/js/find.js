// Find: search as you type over title, artist, album and genre.

import { h, setText } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { trackList } from "./list.js";

const SKELETON_AFTER_MS = 180;

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
    oninput: () => search.type(input.value.trim()),
  });
  const tally = h("p", { class: "live-line", role: "status" });
  const list = trackList(app, { label: "Found", testid: "find-results" });
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
    tally,
    list.element,
    more,
  );
  const nearEnd = new IntersectionObserver(
    (changes) => changes.some((each) => each.isIntersecting) && search.more(),
    { rootMargin: "400px" },
  );
  nearEnd.observe(more);
  let skeletons = 0;

  search.on("asking", ({ offset }) => {
    clearTimeout(skeletons);
    if (!offset) skeletons = setTimeout(() => list.loading(8), SKELETON_AFTER_MS);
  });
  search.on("found", ({ text, tracks, total }) => {
    clearTimeout(skeletons);
    more.hidden = tracks.length >= total;
    setText(tally, tracks.length ? `${count(total, "track")}${text ? "" : " in all"}` : "");
    if (tracks.length)
      list.show(tracks.map((card) => ({ card, source: { list: "find" }, why: about(card) })));
    else
      list.empty(
        text ? `Nothing is called “${text}” here.` : "There is no music here yet.",
        text ? { label: "Show everything", act: clear } : null,
      );
  });
  search.on("failed", (text) => {
    clearTimeout(skeletons);
    more.hidden = true;
    setText(tally, "");
    list.failed(text, { label: "Try again", act: search.again });
  });

  function clear() {
    input.value = "";
    search.type("");
    input.focus();
  }

  return {
    element,
    title: "Find",
    shown({ focus }) {
      search.type(input.value.trim());
      if (focus) input.focus();
      input.select();
    },
    close() {
      clearTimeout(skeletons);
      nearEnd.disconnect();
      list.close();
      search.close();
    },
  };
}

/** Beside the artist stands what a search may have found. */
function about(card) {
  return { text: [card.album, card.genre].filter(Boolean).join(" · ") };
}
