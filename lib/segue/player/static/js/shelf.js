// A shelf: large prints side by side, each with its title and artist; a click plays.

import { bringIntoSight, h, keepingFocus, prefersLessMotion, setAttribute } from "./dom.js";
import { icon } from "./icons.js";
import { soundPrint } from "./print.js";
import { onRefresh } from "./row.js";

export function shelf(app, { heading, mark = null, testid }) {
  const tiles = h("ul", { class: "tiles", onfocusin: bringIntoSight });
  const title = h("h2", {}, heading);
  const arrows = shelfArrows(tiles);
  const section = h(
    "section",
    { class: "shelf", "aria-label": heading, "data-testid": testid, hidden: true },
    h("div", { class: "section-head" }, title, mark, arrows.element),
    tiles,
  );

  function show(items) {
    section.hidden = items.length === 0;
    const next = items.map((item, index) => tile(app, item, () => app.player.playFrom(items, index)));
    keepingFocus(tiles, () => tiles.replaceChildren(...next));
    arrows.refresh();
  }
  /** Give it another heading: words, and elements that stand out among them. */
  function name(parts) {
    title.replaceChildren(...parts);
    section.setAttribute("aria-label", title.textContent);
  }
  return { element: section, show, name };
}

/** For a mouse, which cannot push sideways: back and on by what is in sight. Keys go from tile to tile. */
export function shelfArrows(tiles) {
  const arrow = (picture, words, way) =>
    h(
      "button",
      {
        class: "icon-button",
        type: "button",
        tabindex: -1,
        "aria-hidden": "true",
        title: words,
        onclick: () => push(way),
      },
      icon(picture),
    );
  const [back, on] = [arrow("left", "Back", -1), arrow("right", "On", 1)];
  const element = h("div", { class: "shelf-arrows" }, back, on);

  function push(way) {
    const step = tiles.clientWidth - (tiles.firstElementChild?.offsetWidth ?? 0);
    tiles.scrollBy({ left: way * step, behavior: prefersLessMotion() ? "auto" : "smooth" });
  }

  function refresh() {
    const left = tiles.scrollWidth - tiles.clientWidth;
    element.hidden = left < 1;
    back.disabled = tiles.scrollLeft < 1;
    on.disabled = tiles.scrollLeft > left - 1;
  }

  tiles.addEventListener("scroll", refresh, { passive: true });
  new ResizeObserver(refresh).observe(tiles);
  return { element, refresh };
}

function tile(app, item, playFrom) {
  const { card } = item;
  const play = () => (app.player.entry()?.card.track_id === card.track_id ? app.player.toggle() : playFrom());
  const button = h(
    "button",
    { class: "tile", type: "button", onclick: play, "data-track-id": card.track_id },
    h(
      "span",
      { class: "tile-print" },
      soundPrint(card.print),
      h("span", { class: "tile-play" }, icon("play"), icon("pause")),
    ),
    h("span", { class: "tile-title" }, card.title),
    h("span", { class: "tile-artist" }, card.artist),
  );
  button.segueItem = item;
  onRefresh(button, () => {
    const current = app.player.entry()?.card.track_id === card.track_id;
    setAttribute(button, "data-playing", current ? (app.player.playing() ? "yes" : "paused") : null);
    setAttribute(button, "aria-current", current ? "true" : null);
  });
  return h("li", {}, button);
}
