// Above a list of one's own: how much it is, what plays it, and what narrows and sorts it.

import { h, setText } from "./dom.js";
import { tracksAndTime } from "./format.js";
import { icon } from "./icons.js";
import { foldText } from "./search_marks.js";

const FINER_FROM = 8;
const BY_NAME = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const sortedBy = (field) => (one, other) => BY_NAME.compare(one.card[field], other.card[field]);
const ORDERS = {
  given: null,
  title: sortedBy("title"),
  artist: sortedBy("artist"),
  longest: (one, other) => other.card.duration_s - one.card.duration_s,
};

/** `orderNames` says how the orders are called, `changed()` is told of another choice, `items()` what is shown. */
export function listTools({ orderNames, changed, items, play }) {
  const tally = h("p", { class: "list-tally", role: "status" });
  const begin = h(
    "button",
    { class: "button main-button", type: "button", "data-testid": "play-all", onclick: () => play(items()) },
    icon("play"),
    "Play",
  );
  const filter = h("input", {
    class: "name-input list-filter",
    type: "search",
    "data-testid": "list-filter",
    placeholder: "Filter",
    "aria-label": "Filter by title, artist, album or genre",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 200,
    oninput: changed,
  });
  const order = h(
    "select",
    { class: "name-input list-order", "aria-label": "Order", "data-testid": "list-order", onchange: changed },
    Object.entries(orderNames).map(([value, words]) => h("option", { value }, words)),
  );
  const finer = h("div", { class: "list-finer" }, filter, order);
  const element = h("div", { class: "list-tools", hidden: true }, begin, tally, finer);

  function holds({ title, artist, album, genre }, words) {
    const text = foldText([title, artist, album, genre].filter(Boolean).join(" ")).folded;
    return words.every((word) => text.includes(word));
  }

  return {
    element,
    /** What of a list is to be shown, in which order. */
    chosen(all) {
      const words = foldText(filter.value).folded.split(/\s+/).filter(Boolean);
      const found = all.filter(({ card }) => holds(card, words));
      return ORDERS[order.value] ? found.sort(ORDERS[order.value]) : found;
    },
    /** Say how much is shown of `total` tracks. */
    tell(shown, total) {
      element.hidden = total === 0;
      finer.hidden = total < FINER_FROM && !filter.value;
      begin.disabled = shown.length === 0;
      setText(tally, tracksAndTime(shown.map(({ card }) => card)));
    },
    clear() {
      filter.value = "";
      changed();
    },
  };
}
