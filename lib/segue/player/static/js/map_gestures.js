// Pointers, wheel and keys on the map, as what they mean there.

const DRAG_PX = 5;
const HELD_MS = 350;
const WHEEL_ZOOM = 0.0016;
const PINCH_ZOOM = 0.01;
const KEY_ZOOM = 1.5;
const LINE_PX = 16;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * `acts`: pick(x, y) gives the point there, ready(point) whether a drag from it is a path; then hover(x, y),
 * leave(), tap(point), pull(point, x, y), drop(point, x, y), let(), step(dx, dy), play(), mark(), whole() and
 * moved() as it is done.
 */
export function createMapGestures(surface, view, acts) {
  const pointers = new Map();
  let press = null;

  function spot(event) {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function down(event) {
    if (event.button > 1) return;
    event.preventDefault();
    surface.focus({ preventScroll: true });
    surface.setPointerCapture(event.pointerId);
    const [x, y] = spot(event);
    pointers.set(event.pointerId, [x, y]);
    if (pointers.size === 1) {
      const point = event.button === 0 ? acts.pick(x, y) : null;
      press = { x, y, point, at: event.timeStamp, ready: event.shiftKey || acts.ready(point), kind: null };
    } else {
      if (press?.kind === "path") acts.let();
      press = { kind: "pinch" };
    }
  }

  function move(event) {
    const [x, y] = spot(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") acts.hover(x, y);
      return;
    }
    if (press?.kind === "pinch") pinch(event.pointerId, [x, y]);
    else if (press) drag(event, x, y, before);
    pointers.set(event.pointerId, [x, y]);
  }

  function drag(event, x, y, before) {
    if (!press.kind) {
      if (Math.hypot(x - press.x, y - press.y) < DRAG_PX) return;
      const held = event.timeStamp - press.at > HELD_MS;
      press.kind = press.point && (press.ready || held) ? "path" : "pan";
      surface.toggleAttribute("data-moving", press.kind === "pan");
      acts.leave();
      before = [press.x, press.y];
    }
    if (press.kind === "path") acts.pull(press.point, x, y);
    else {
      view.panBy(x - before[0], y - before[1]);
      acts.moved();
    }
  }

  function pinch(moving, [x, y]) {
    const other = [...pointers].find(([id]) => id !== moving)?.[1];
    const before = pointers.get(moving);
    if (!other) return;
    const apart = (one) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));
    view.zoomAt(apart([x, y]) / apart(before), (x + other[0]) / 2, (y + other[1]) / 2);
    view.panBy((x - before[0]) / 2, (y - before[1]) / 2);
    acts.moved();
  }

  function up(event) {
    if (!pointers.delete(event.pointerId)) return;
    const [x, y] = spot(event);
    if (press?.kind === "path") acts.drop(press.point, x, y);
    else if (press && !press.kind && press.point) acts.tap(press.point);
    if (press?.kind !== "pinch" || !pointers.size) press = null;
    surface.removeAttribute("data-moving");
  }

  function cancel(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (press?.kind === "path") acts.let();
    press = null;
    surface.removeAttribute("data-moving");
  }

  function wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    view.zoomAt(Math.exp(-pixels * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM)), ...spot(event));
    acts.moved();
  }

  function zoom(factor) {
    view.zoomAt(factor, view.width / 2, view.height / 2);
    acts.moved();
  }

  const keys = {
    Enter: acts.play,
    "+": () => zoom(KEY_ZOOM),
    "=": () => zoom(KEY_ZOOM),
    "-": () => zoom(1 / KEY_ZOOM),
    0: acts.whole,
    p: acts.mark,
    Escape: acts.let,
  };

  function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target !== surface) return;
    const direction = event.shiftKey ? null : DIRECTIONS[event.key];
    if (!direction && !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (direction) acts.step(...direction);
    else keys[event.key]();
  }

  surface.addEventListener("pointerdown", down);
  surface.addEventListener("pointermove", move);
  surface.addEventListener("pointerup", up);
  surface.addEventListener("pointercancel", cancel);
  surface.addEventListener("pointerleave", () => !pointers.size && acts.leave());
  surface.addEventListener("wheel", wheel, { passive: false });
  surface.addEventListener("keydown", key);
  return { closer: () => zoom(KEY_ZOOM), farther: () => zoom(1 / KEY_ZOOM) };
}
