// The map as it stands on the page: canvas, words, prints and the name under the pointer.

import { h, setText } from "./dom.js";
import { clamp } from "./format.js";
import { createMapMarks } from "./map_marks.js";
import { createMapPainter } from "./map_paint.js";

const PRINTS_MOST = 40;
const PRINT_RADIUS = 22;
const SMALLEST_POINT = 1.25;
const LARGEST_POINT = 4;
const POINTS_SIDE = 55;
const REACH_PX = 4;

/** Words stand on the map below this zoom. */
export const MAP_WORDS_UNTIL = 4;

/** `shown` is what to draw: {kind, groups, trail, path, drag, chosen, start, hovered}. */
export function createMapScene(app, load, view, names) {
  const { points } = load;
  const canvas = h("canvas", { class: "map-canvas", "aria-hidden": "true" });
  const painter = createMapPainter(canvas, view, points);
  const marks = createMapMarks(view);
  const tip = h("div", { class: "map-tip", "aria-hidden": "true", hidden: true });
  const element = h(
    "div",
    {
      class: "map-surface",
      role: "application",
      tabindex: 0,
      "aria-label": "Map of the music",
      "aria-describedby": "segue-map-keys",
      "data-testid": "map",
    },
    canvas,
    marks.element,
    tip,
  );
  const shown = {
    kind: "clusters",
    groups: [],
    trail: [],
    path: [],
    drag: null,
    chosen: null,
    start: null,
    hovered: null,
  };
  let radius = LARGEST_POINT;
  let asked = 0;

  function request() {
    if (!asked) asked = requestAnimationFrame(draw);
  }

  function draw() {
    asked = 0;
    if (!load.map() || !element.clientWidth) return;
    const zoom = view.zoom();
    radius = pointRadius(zoom);
    const close = points.within(view.box(PRINT_RADIUS), PRINTS_MOST) ?? [];
    names.want(close.map(({ id }) => id));
    const near = close.map((point) => ({ point, card: app.cards.get(point.id) })).filter(({ card }) => card);
    element.toggleAttribute("data-prints", close.length > 0);
    const rings = [shown.chosen && { ...shown.chosen, strong: true }, shown.start, shown.hovered];
    painter.paint({ ...shown, radius, rings: rings.filter(Boolean), ringRadius: reach() + 2 });
    marks.update({ near, words: zoom < MAP_WORDS_UNTIL && !close.length });
    showTip();
  }

  /** In steps of half a pixel: each size has sprites of its own. */
  function pointRadius(zoom) {
    const wanted = (POINTS_SIDE / Math.sqrt(load.map().tracks)) * zoom ** 0.35;
    return Math.round(2 * clamp(wanted, SMALLEST_POINT, LARGEST_POINT)) / 2;
  }

  function reach() {
    return element.hasAttribute("data-prints") ? PRINT_RADIUS : radius + REACH_PX;
  }

  function showTip() {
    const { hovered } = shown;
    const card = hovered && app.cards.get(hovered.id);
    tip.hidden = !card;
    if (!card) return;
    setText(tip, mapName(card));
    const [left, top] = view.toPage(hovered.x, hovered.y);
    const most = Math.max(8, view.width - tip.offsetWidth - 8);
    tip.style.transform = `translate(${clamp(left + 14, 8, most)}px, ${Math.max(8, top - 38)}px)`;
  }

  return {
    element,
    shown,
    request,
    /** The point at a pixel, or null. */
    pick: (left, top) =>
      load.map() ? points.nearest(...view.toMap(left, top), reach() / view.scale) : null,
    colour(kind, groups) {
      Object.assign(shown, { kind, groups });
      marks.name(groups);
      painter.renew();
      request();
    },
    /** Points or colours are others. */
    renew() {
      painter.renew();
      request();
    },
    resize() {
      view.resize(element.clientWidth, element.clientHeight);
      painter.resize();
      marks.again();
    },
    close: () => cancelAnimationFrame(asked),
  };
}

export function mapName({ title, artist }) {
  return [title, artist].filter(Boolean).join(", ");
}
