// Licence, where a track is from, and whether it was composed here: wherever it plays or is told of.

import { outsideLink } from "./dom.js";
import { icon } from "./icons.js";
import { composedMark } from "./row.js";

export function rightsOf(card) {
  const words = card.licence || "licence unknown";
  const link = outsideLink(
    card.attribution_url,
    { title: "Where this track is from" },
    words,
    icon("outside"),
  );
  return [link ?? words, card.composed ? composedMark(card) : ""];
}
