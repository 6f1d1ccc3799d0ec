// What is pressed around the map: its colours, its previews, its zoom.

import { h, setAttribute } from "./dom.js";
import { icon } from "./icons.js";

const HINT =
  "Drag moves the map, the wheel zooms, a click plays. " +
  "Rest on a track and drag from it to another: a path. " +
  "Keys: arrows go to the nearest track that way, Enter plays, + and − zoom, 0 shows the whole map, " +
  "P begins and ends a path.";
const FINGERS =
  "Drag moves the map, two fingers zoom, a tap plays. " +
  "Rest a finger on a track and draw it to another: a path.";

/** `acts`: colourBy(kind), enable(wanted), closer(), farther(), whole(). */
export function mapControls(acts, previews) {
  const kind = (name, words) =>
    h(
      "button",
      { class: "map-kind", type: "button", "data-kind": name, onclick: () => acts.colourBy(name) },
      words,
    );
  const kinds = h(
    "div",
    { class: "map-kinds", role: "group", "aria-label": "Colours by" },
    h("span", { class: "quiet", "aria-hidden": "true" }, "Colours by"),
    kind("clusters", "sound"),
    kind("genres", "genre"),
  );
  const hear = h("input", {
    type: "checkbox",
    "data-testid": "map-preview",
    onchange: () => acts.enable(hear.checked),
  });
  hear.checked = previews;
  const zoom = (picture, words, act) =>
    h(
      "button",
      { class: "icon-button", type: "button", "aria-label": words, title: words, onclick: act },
      icon(picture),
    );

  return {
    bar: h(
      "div",
      { class: "map-bar" },
      kinds,
      h("label", { class: "map-hear" }, hear, "Hear what the pointer rests on"),
      h(
        "div",
        { class: "map-zooms" },
        zoom("plus", "Closer", acts.closer),
        zoom("minus", "Farther", acts.farther),
        zoom("whole", "Whole map", acts.whole),
      ),
    ),
    hint: h(
      "p",
      { class: "quiet map-hint" },
      h("span", { class: "for-pointers", id: "segue-map-keys" }, HINT),
      h("span", { class: "for-fingers" }, FINGERS),
    ),
    /** Which colours are shown; the choice stands there only where there are both. */
    show(name, both) {
      kinds.hidden = !both;
      for (const each of kinds.querySelectorAll("[data-kind]"))
        setAttribute(each, "aria-pressed", String(each.dataset.kind === name));
    },
  };
}
