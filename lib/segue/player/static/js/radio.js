// Radio: from what it goes, what it keeps away from, and what it plays next.

import { h, keepingFocus, setText } from "./dom.js";
import { icon } from "./icons.js";
import { trackList } from "./list.js";
import { soundPrint } from "./print.js";

const TYPING_MS = 150;
const FOUND_SHOWN = 6;
const SUGGESTED = 8;
const SEEDS_IN_ADDRESS = 20;

export function radioPage(app) {
  const { radio } = app;
  const plus = seedList("plus", "More like");
  const minus = seedList("minus", "Less like");
  const search = seedSearch(app);
  const begin = h(
    "button",
    { class: "button main-button", type: "button", "data-testid": "radio-start", onclick: radio.start },
    icon("play"),
    h("span", {}),
  );
  const words = h("p", { class: "live-line", role: "status" });
  const suggestions = h("ul", { class: "chips" });
  const suggested = h(
    "section",
    { "aria-label": "Begin with", hidden: true, "data-testid": "radio-suggestions" },
    h("h2", {}, "Begin with"),
    suggestions,
  );
  const list = trackList(app, { label: "Coming up", testid: "radio-list" });
  const coming = h("section", { "aria-label": "Coming up" }, h("h2", {}, "Coming up"), list.element);
  const element = h(
    "div",
    { class: "view view-radio" },
    h("h1", { class: "page-title" }, "Radio"),
    h("p", { class: "quiet" }, "It goes on from what you choose, and keeps away from what you do not want."),
    h("div", { class: "seeds" }, plus.element, minus.element),
    search.element,
    h("div", { class: "page-actions" }, begin),
    words,
    suggested,
    coming,
  );
  let asked = "";

  function seedList(side, heading) {
    const chips = h("ul", { class: "chips", "aria-label": heading });
    const none = h("p", { class: "quiet" });
    return {
      element: h(
        "section",
        { class: "seed-side", "aria-label": heading, "data-testid": `radio-${side}` },
        h("h2", {}, heading),
        none,
        chips,
      ),
      show() {
        const cards = radio.seeds(side);
        setText(none, cards.length ? "" : side === "plus" ? "Nothing yet" : "Nothing");
        none.hidden = cards.length > 0;
        keepingFocus(chips, () => chips.replaceChildren(...cards.map((card) => chip(card))));
      },
    };
  }

  function chip(card) {
    return h(
      "li",
      { class: "chip" },
      soundPrint(card.print),
      h("span", { class: "chip-words" }, card.title),
      h(
        "button",
        {
          class: "icon-button",
          type: "button",
          "aria-label": `Take out: ${card.title}`,
          onclick: () => radio.drop(card.track_id),
        },
        icon("close"),
      ),
    );
  }

  function show() {
    if (element.hidden) return;
    plus.show();
    minus.show();
    const hasSeeds = radio.seeds("plus").length > 0;
    begin.disabled = !hasSeeds;
    setText(begin.querySelector("span"), radio.isOn() ? "Begin anew" : "Start the radio");
    setText(words, radio.isOn() ? "On: skips and likes tune it." : "");
    suggest(hasSeeds);
    coming.hidden = !hasSeeds;
    const items = radio.isOn() ? radio.ahead() : [];
    if (items.length) list.show(items);
    else if (radio.isAsking()) list.loading(6);
    else if (radio.trouble()) list.failed(radio.trouble(), { label: "Try again", act: radio.start });
    else if (radio.isDry())
      list.empty("All that is near has been played: add another track to go on from.", {
        label: "Look for one",
        act: search.focus,
      });
    else list.empty("What it plays next stands here once it is on.", null);
  }

  function suggest(hasSeeds) {
    const liked = app.opinions.liked().map((id) => app.cards.get(id));
    const popular = app.state.welcome?.popular ?? [];
    const cards = new Map([...liked, ...popular].filter(Boolean).map((card) => [card.track_id, card]));
    suggested.hidden = hasSeeds || cards.size === 0;
    if (suggested.hidden) return;
    const chosen = [...cards.values()].slice(0, SUGGESTED).map((card) =>
      h(
        "li",
        {},
        h(
          "button",
          { class: "chip", type: "button", onclick: () => radio.add(card, "plus") },
          soundPrint(card.print),
          h("span", { class: "chip-words" }, card.title),
          icon("plus"),
        ),
      ),
    );
    keepingFocus(suggestions, () => suggestions.replaceChildren(...chosen));
  }

  /** An address names seeds: `12,15,-18` goes on from two and keeps away from one. */
  async function follow(about) {
    const seeds = about.split(",").map(Number).filter(Number.isSafeInteger).slice(0, SEEDS_IN_ADDRESS);
    const wanted = [...new Set(seeds.map(Math.abs))];
    if (!wanted.length) return;
    try {
      const { tracks } = await app.ask("find", { among: wanted }, "found");
      if (asked !== about) return;
      const cards = new Map(tracks.map((card) => [card.track_id, card]));
      const those = (ids) => ids.map((id) => cards.get(Math.abs(id))).filter(Boolean);
      const [plus, minus] = [seeds.filter((id) => id >= 0), seeds.filter((id) => id < 0)].map(those);
      radio.tune({ plus, minus, about });
    } catch (error) {
      if (asked === about) app.say(error.message, { label: "Try again", act: () => follow(about) });
    }
  }

  for (const [part, name] of [
    [radio, "change"],
    [app.queue, "change"],
    [app.opinions, "change"],
    [app.state, "welcome"],
  ])
    part.on(name, show);
  return {
    element,
    title: "Radio",
    shown({ about }) {
      show();
      asked = about;
      if (about && about !== radio.about()) follow(about);
    },
    close() {
      search.close();
      list.close();
    },
  };
}

/** Look for a track and put it on one side. */
function seedSearch(app) {
  const results = h("ul", { class: "seed-results", "data-testid": "radio-found" });
  const words = h("p", { class: "quiet", role: "status" });
  const input = h("input", {
    class: "find-input",
    type: "search",
    "data-testid": "radio-find",
    placeholder: "Add a track by title or artist",
    "aria-label": "Add a track",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 200,
    oninput: later,
  });
  const field = h("div", { class: "find-field" }, icon("find"), input);
  const element = h("div", { class: "seed-search" }, field, words, results);
  let pause = 0;
  let latest = 0;

  function later() {
    clearTimeout(pause);
    pause = setTimeout(look, TYPING_MS);
  }

  async function look() {
    latest += 1;
    const own = latest;
    const text = input.value.trim();
    if (!text) {
      clear();
      return;
    }
    try {
      const { tracks } = await app.ask("find", { text, offset: 0 }, "found");
      if (own !== latest) return;
      setText(words, tracks.length ? "" : `Nothing is called “${text}” here.`);
      results.replaceChildren(...tracks.slice(0, FOUND_SHOWN).map(result));
    } catch (error) {
      if (own === latest) setText(words, error.message);
    }
  }

  function clear() {
    setText(words, "");
    results.replaceChildren();
  }

  function result(card) {
    const choose = (side) => {
      app.radio.add(card, side);
      input.value = "";
      clear();
      input.focus();
    };
    const button = (side, label, picture) =>
      h(
        "button",
        {
          class: "button",
          type: "button",
          "aria-label": `${label}: ${card.title}`,
          "data-testid": `radio-add-${side}`,
          onclick: () => choose(side),
        },
        icon(picture),
        label,
      );
    return h(
      "li",
      { class: "seed-result" },
      soundPrint(card.print),
      h(
        "div",
        { class: "seed-words" },
        h("span", { class: "chip-words" }, card.title),
        h("span", { class: "chip-words quiet" }, card.artist),
      ),
      button("plus", "More", "plus"),
      button("minus", "Less", "minus"),
    );
  }

  return {
    element,
    focus: () => input.focus(),
    close: () => clearTimeout(pause),
  };
}
