// Beside the map: the same in words and rows, for those who listen to the page and those who press its keys.

import { h, setText, svg } from "./dom.js";
import { count } from "./format.js";
import { trackList } from "./list.js";
import { mapOutline } from "./map_paint.js";

const GROUPS_SHOWN = 24;

/** `acts`: mark(), playPath(), queuePath(), forgetPath(), show(group). */
export function mapSide(app, acts) {
  const chosen = trackList(app, { label: "Chosen", testid: "map-chosen" });
  const path = trackList(app, { label: "Path", testid: "map-path" });
  const near = trackList(app, { label: "Around here", testid: "map-near" });
  const button = (words, act, testid) =>
    h("button", { class: "button", type: "button", onclick: act, "data-testid": testid }, words);
  const mark = button("Path from here", acts.mark, "map-mark");
  const chosenPart = part("Chosen", chosen.element, h("div", { class: "map-buttons" }, mark));
  const about = h("p", { class: "quiet" });
  const pathPart = part(
    "Path",
    about,
    h(
      "div",
      { class: "map-buttons" },
      button("Play this path", acts.playPath, "map-play-path"),
      button("Add to queue", acts.queuePath, "map-queue-path"),
      button("Forget it", acts.forgetPath, "map-forget-path"),
    ),
    path.element,
  );
  const groups = h("ul", { class: "map-groups", "aria-label": "Groups" });
  const groupsPart = part("What the colours mean", groups);
  const element = h(
    "div",
    { class: "map-side", role: "group", "aria-label": "The map in words" },
    pathPart,
    chosenPart,
    part("Around here", near.element),
    groupsPart,
  );
  chosenPart.hidden = true;
  pathPart.hidden = true;

  const item = (card) => ({ card, source: { list: "map" }, why: { text: card.genre } });

  return {
    element,
    choose(card, words) {
      chosenPart.hidden = !card;
      if (card) chosen.show([item(card)]);
      mark.hidden = !words;
      setText(mark, words || "");
    },
    near(cards) {
      if (!cards) near.loading(4);
      else if (cards.length) near.show(cards.map(item));
      else near.empty("No other track lies here.", null);
    },
    nearFailed(words, act) {
      if (!near.items().length) near.failed(words, { label: "Try again", act });
    },
    /** `found` is {items, words}, or null for none. */
    path(found) {
      pathPart.hidden = !found;
      if (!found) return;
      setText(about, found.words);
      path.show(found.items);
    },
    groups(found) {
      groupsPart.hidden = !found.length;
      const shown = found.slice(0, GROUPS_SHOWN).map((group) => {
        const outline = svg("path", { d: mapOutline(group.marker), fill: group.colour });
        const swatch = svg(
          "svg",
          { class: "map-swatch", viewBox: "-1.2 -1.2 2.4 2.4", "aria-hidden": "true" },
          outline,
        );
        return h(
          "li",
          {},
          h(
            "button",
            { class: "map-group", type: "button", onclick: () => acts.show(group) },
            swatch,
            h("span", { class: "map-group-name" }, group.name),
            h("span", { class: "quiet" }, count(group.size, "track")),
          ),
        );
      });
      groups.replaceChildren(...shown);
    },
    close() {
      for (const list of [chosen, path, near]) list.close();
    },
  };
}

function part(heading, ...children) {
  return h("section", { "aria-label": heading }, h("h2", {}, heading), ...children);
}
