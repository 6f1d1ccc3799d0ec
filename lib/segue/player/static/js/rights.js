// Licence, where a track is from, and whether it was composed here: wherever it plays or is told of.

import { outsideLink } from "./dom.js";
import { icon } from "./icons.js";
import { composedMark } from "./row.js";

export function rightsOf(card) {
  return [licenceOf(card), composedMark(card) ?? ""];
}

export function licenceOf(card) {
  const words = card.licence || "licence unknown";
  const about = { title: "Where this track is from" };
  return outsideLink(card.attribution_url, about, words, icon("outside")) ?? words;
}
