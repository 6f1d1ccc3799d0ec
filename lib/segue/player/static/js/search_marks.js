// What of a text a search has found: beginnings of words, and words that are a typo or two away.

import { h } from "./dom.js";

const MARK_ONE_TYPO = 4;
const MARK_TWO_TYPOS = 8;
const FOUND_WORDS = /[\p{L}\p{N}]+/gu;

/** Put marks into the text of an element, in place of those of an earlier search. */
export function markFound(element, search) {
  for (const old of element.querySelectorAll("mark.hit")) old.replaceWith(old.textContent);
  element.normalize();
  const wanted = foldText(search).folded.match(FOUND_WORDS) ?? [];
  if (!wanted.length) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    const spans = foundSpans(node.data, wanted);
    if (spans.length) node.replaceWith(...marked(node.data, spans));
  }
}

function marked(text, spans) {
  const parts = [];
  let at = 0;
  for (const [from, to] of spans) {
    parts.push(text.slice(at, from), h("mark", { class: "hit" }, text.slice(from, to)));
    at = to;
  }
  return [...parts, text.slice(at)];
}

/** `[from, to]` of what is found, in order: of each word as much as one of the `wanted` accounts for. */
function foundSpans(text, wanted) {
  const { folded, places } = foldText(text);
  const spans = [];
  for (const { 0: word, index } of folded.matchAll(FOUND_WORDS)) {
    const lengths = wanted.map((each) =>
      word.startsWith(each) ? each.length : isNear(each, word) ? word.length : 0,
    );
    const length = Math.max(0, ...lengths);
    if (length) spans.push([places[index], places[index + length]]);
  }
  return spans;
}

/** Small letters without accents, and where in the text each of them stands; one place more for the end. */
export function foldText(text) {
  let folded = "";
  const places = [];
  let at = 0;
  for (const letter of text) {
    const plain = letter.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    for (let unit = 0; unit < plain.length; unit += 1) places.push(at);
    folded += plain;
    at += letter.length;
  }
  return { folded, places: [...places, at] };
}

/** Whether a word, or as much of its beginning as has been typed, is as near as the search takes it. */
function isNear(typed, word) {
  const most = (typed.length >= MARK_ONE_TYPO) + (typed.length >= MARK_TWO_TYPOS);
  if (!most) return false;
  return Math.min(...beginningDistances(typed, word).slice(Math.max(0, typed.length - 1))) <= most;
}

/** For each length of the beginning of a word the typos between it and what was typed (optimal alignment). */
function beginningDistances(typed, word) {
  let before = [];
  let row = Array.from({ length: word.length + 1 }, (_, index) => index);
  for (let i = 1; i <= typed.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= word.length; j += 1) {
      const same = typed[i - 1] === word[j - 1];
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
      const turned = i > 1 && j > 1 && typed[i - 1] === word[j - 2] && typed[i - 2] === word[j - 1];
      if (turned) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row;
}
