// What stands on the map in words and prints: elements over the canvas, moved as one while the map moves.

import { h } from "./dom.js";
import { soundPrint } from "./print.js";

const PRINT_SIZE = 44;
const APART = 4;
const NAMED_MOST = 24;

export function createMapMarks(view) {
  const layer = h("div", { class: "map-marks", "aria-hidden": "true" });
  const labels = h("div");
  const prints = h("div");
  const made = new Map();
  const from = { x: 0, y: 0, scale: 0 };
  let named = [];
  layer.append(prints, labels);

  function at(x, y) {
    return [(x - from.x) * from.scale + view.width / 2, (y - from.y) * from.scale + view.height / 2];
  }

  /** A name whose middle is in sight is not cut at the edge. */
  function inside(middle, half) {
    const isSeen = middle >= 0 && middle <= view.width;
    return isSeen ? Math.max(half, Math.min(view.width - half, middle)) : middle;
  }

  /** Names in the middle of their groups, the largest first; one that would lie over another is left out. */
  function placeLabels() {
    const taken = [];
    for (const each of named) {
      const { label } = each;
      each.width ||= label.offsetWidth / 2;
      each.height ||= label.offsetHeight / 2;
      const [middle, top] = at(each.x, each.y);
      const left = inside(middle, each.width);
      const covered = taken.some(
        (other) =>
          Math.abs(other.left - left) < other.width + each.width + APART &&
          Math.abs(other.top - top) < other.height + each.height,
      );
      if (!covered) taken.push({ left, top, width: each.width, height: each.height });
      label.style.visibility = covered ? "hidden" : "visible";
      label.style.transform = `translate(${left}px, ${top}px) translate(-50%, -50%)`;
    }
  }

  function placePrint(element, { x, y }) {
    const [left, top] = at(x, y);
    element.style.transform = `translate(${left - PRINT_SIZE / 2}px, ${top - PRINT_SIZE / 2}px)`;
  }

  /** Follow the view; `near` are the points that have a print there, with their cards. */
  function update({ near, words }) {
    const moved = from.scale !== view.scale;
    if (moved) Object.assign(from, { x: view.x, y: view.y, scale: view.scale });
    const [right, down] = [(from.x - view.x) * view.scale, (from.y - view.y) * view.scale];
    layer.style.transform = `translate(${right}px, ${down}px)`;
    const shown = words && named.length > 0;
    if (labels.hidden === shown) labels.hidden = !shown;
    if (shown && (moved || labels.dataset.fresh)) {
      placeLabels();
      delete labels.dataset.fresh;
    }
    const wanted = new Set(near.map(({ point }) => point.id));
    for (const [id, element] of made) {
      if (wanted.has(id)) continue;
      element.remove();
      made.delete(id);
    }
    for (const { point, card } of near) {
      const known = made.get(point.id);
      const element = known ?? h("span", { class: "map-print" }, soundPrint(card.print));
      if (!known) {
        made.set(point.id, element);
        prints.append(element);
      }
      if (!known || moved) placePrint(element, point);
    }
  }

  return {
    element: layer,
    update,
    /** Groups are {name, at: [x, y]}. */
    name(groups) {
      named = groups.slice(0, NAMED_MOST).map(({ name, at: [x, y] }) => {
        return { label: h("span", { class: "map-label" }, name), x, y, width: 0, height: 0 };
      });
      labels.replaceChildren(...named.map(({ label }) => label));
      labels.dataset.fresh = "yes";
    },
    again() {
      from.scale = 0;
    },
  };
}
