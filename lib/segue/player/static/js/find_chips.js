// What a search can be narrowed to, as chips in one line: not heard yet, length, genre, licence.

import { h, keepingFocus, setAttribute, setText } from "./dom.js";
import { count } from "./format.js";

const UNHEARD = "Not heard yet";
const LENGTHS = { short: "under 2 min", medium: "2 to 5 min", long: "over 5 min" };
const FACETS = ["length", "genre", "licence"];

export function findChips(search) {
  const element = h("div", { class: "find-line", role: "group", "aria-label": "Narrow down" });
  const known = new Map();

  function chip(name, value, words, number) {
    const key = `${name} ${value}`;
    const made = known.get(key) ?? makeChip(name, value, words);
    known.set(key, made);
    setAttribute(made.button, "aria-pressed", String(search.chosen()[name] === value));
    if (number !== undefined) {
      setText(made.number, number.toLocaleString("en"));
      setAttribute(made.button, "aria-label", `${words}, ${count(number, "track")}`);
    }
    return made.button;
  }

  function makeChip(name, value, words) {
    const number = h("span", { class: "find-count" });
    const turn = () => search.narrow(name, search.chosen()[name] === value ? null : value);
    const button = h("button", { class: "find-chip", type: "button", onclick: turn }, words, number);
    return { button, number };
  }

  /** A facet that would change nothing is not offered; what is chosen can always be taken back. */
  function facetChips(name, counts) {
    const chosen = search.chosen()[name];
    const values = name === "length" ? ordered(counts) : counts;
    const listed = values.some(([value]) => value === chosen) || !chosen ? values : [[chosen, 0], ...values];
    if (listed.length < 2 && !chosen) return [];
    return listed.map(([value, number]) => chip(name, value, LENGTHS[value] ?? value, number));
  }

  function ordered(counts) {
    const order = Object.keys(LENGTHS);
    return [...counts].sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  }

  function show(facets) {
    const chips = [
      chip("unheard", true, UNHEARD),
      ...FACETS.flatMap((name) => facetChips(name, facets?.[name] ?? [])),
    ];
    keepingFocus(element, () => element.replaceChildren(...chips));
  }

  show(null);
  return { element, show };
}
