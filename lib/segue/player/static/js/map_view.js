// Which part of the map is seen: between places on the map and pixels of the page.

import { clamp } from "./format.js";

const ROOM = 0.9;
const SMALLEST = 120;

/** Zoom is 1 where everything is seen; `scale` is pixels a step of the map. */
export function createMapView() {
  const view = { x: 0, y: 0, scale: 1, width: SMALLEST, height: SMALLEST };
  let world = { width: 1, height: 1, tracks: 1 };
  let whole = true;

  function fit() {
    return ROOM * Math.min(view.width / Math.max(1, world.width), view.height / Math.max(1, world.height));
  }

  /** Far enough that even in a crowd one track stands by itself. */
  function closest() {
    return clamp(Math.sqrt(world.tracks), 12, 400);
  }

  function place(x, y, zoom) {
    view.scale = fit() * clamp(zoom, 1, closest());
    view.x = clamp(x, 0, world.width);
    view.y = clamp(y, 0, world.height);
    whole = zoom <= 1;
    if (whole) Object.assign(view, { x: world.width / 2, y: world.height / 2 });
  }

  const zoom = () => view.scale / fit();

  return Object.assign(view, {
    zoom,
    all: () => place(0, 0, 1),
    open(next) {
      world = next;
      place(0, 0, 1);
    },
    resize(width, height) {
      const before = zoom();
      Object.assign(view, { width: Math.max(SMALLEST, width), height: Math.max(SMALLEST, height) });
      place(view.x, view.y, whole ? 1 : before);
    },
    toPage: (x, y) => [
      (x - view.x) * view.scale + view.width / 2,
      (y - view.y) * view.scale + view.height / 2,
    ],
    toMap: (left, top) => [
      (left - view.width / 2) / view.scale + view.x,
      (top - view.height / 2) / view.scale + view.y,
    ],
    panBy(right, down) {
      place(view.x - right / view.scale, view.y - down / view.scale, Math.max(zoom(), 1 + 1e-6));
    },
    /** Zoom so that what lies under a pixel stays there. */
    zoomAt(factor, left, top) {
      const [x, y] = view.toMap(left, top);
      const next = clamp(zoom() * factor, 1, closest());
      const scale = fit() * next;
      place(x - (left - view.width / 2) / scale, y - (top - view.height / 2) / scale, next);
    },
    goTo: (x, y, least = 1) => place(x, y, Math.max(zoom(), least, 1 + 1e-6)),
    /** What is seen, and so many pixels around it. */
    box(margin = 0) {
      const [left, top] = view.toMap(-margin, -margin);
      const [right, bottom] = view.toMap(view.width + margin, view.height + margin);
      return { left, top, right, bottom };
    },
  });
}
