// A list that lives: rows glide to their new places, but never the one under the pointer or the focus.

import { keepingFocus, prefersLessMotion } from "./dom.js";

const GLIDE_MS = 200;
const RELEASE_MS = 250;

/**
 * Order the rows as wanted, with each held row where it is now: `held` and `shown` are keys as they stand.
 * A row that would have to leave a gap below it keeps its former neighbours until it is let go.
 */
export function arrange(wanted, shown, held) {
  const order = wanted.filter((key) => !held.includes(key));
  const leaving = shown.filter((key) => !wanted.includes(key) && !held.includes(key));
  for (const key of shown.filter((each) => held.includes(each))) {
    const place = shown.indexOf(key);
    while (order.length < place && leaving.length) order.push(leaving.shift());
    order.splice(place, 0, key);
  }
  return order;
}

export function glidingList(container, { keyOf, make, update }) {
  const rows = new Map();
  let wanted = [];
  let release = 0;
  let owing = false;

  function heldKeys() {
    const pointed = window.matchMedia("(hover: hover)").matches
      ? [...container.querySelectorAll(":scope > :hover")]
      : [];
    const active = document.activeElement;
    const focused = active && container.contains(active) && active.matches(":focus-visible") ? active : null;
    const busy = [...container.querySelectorAll("[aria-expanded=true]")];
    return [...rows]
      .filter(
        ([, row]) =>
          pointed.includes(row) || row.contains(focused) || busy.some((each) => row.contains(each)),
      )
      .map(([key]) => key);
  }

  function set(items) {
    wanted = items;
    settle();
  }

  function settle() {
    clearTimeout(release);
    const shown = [...container.children].map((row) => row.segueKey);
    const held = heldKeys();
    const byKey = new Map(wanted.map((item) => [keyOf(item), item]));
    const order = arrange([...byKey.keys()], shown, held);
    const before = places();
    keepingFocus(container, () => {
      for (const key of shown) if (!order.includes(key)) discard(key);
      for (const key of order) {
        if (!rows.has(key)) add(key, byKey.get(key));
        else if (byKey.has(key) && !held.includes(key)) update?.(rows.get(key), byKey.get(key));
      }
      place(order, held);
    });
    animate(before);
    owing = held.length > 0;
  }

  function add(key, item) {
    const row = make(item);
    row.segueKey = key;
    rows.set(key, row);
  }

  function discard(key) {
    rows.get(key)?.remove();
    rows.delete(key);
  }

  /** Put the rows in order by moving only those that are not held: a moved element loses its focus. */
  function place(order, held) {
    let anchor = null;
    for (const key of [...order].reverse()) {
      const row = rows.get(key);
      const inPlace = row.parentNode === container && row.nextElementSibling === anchor;
      if (!inPlace && !held.includes(key)) container.insertBefore(row, anchor);
      anchor = row;
    }
  }

  function places() {
    const origin = container.getBoundingClientRect();
    return new Map(
      [...rows].map(([key, row]) => {
        const { left, top } = row.getBoundingClientRect();
        return [key, { x: left - origin.left, y: top - origin.top }];
      }),
    );
  }

  function animate(before) {
    if (prefersLessMotion() || !before.size) return;
    for (const row of rows.values()) for (const running of row.getAnimations()) running.cancel();
    for (const [key, { x, y }] of places()) {
      const was = before.get(key);
      const timing = { duration: GLIDE_MS, easing: "ease-out" };
      const row = rows.get(key);
      if (!was) row.animate([{ opacity: 0 }, { opacity: 1 }], timing);
      else if (was.x !== x || was.y !== y) {
        const path = [{ transform: `translate(${was.x - x}px, ${was.y - y}px)` }, { transform: "none" }];
        passOver(row, row.animate(path, timing));
      }
    }
  }

  /** While it glides a row is not for the pointer: passing over the row that is held it would take it away. */
  function passOver(row, gliding) {
    row.classList.add("is-gliding");
    row.segueGliding = gliding;
    // Its colours may change beyond its glide, and an older glide's end is told while a newer one is on.
    gliding.onfinish = gliding.oncancel = () => {
      if (row.segueGliding === gliding) row.classList.remove("is-gliding");
    };
  }

  function letGo() {
    clearTimeout(release);
    if (owing) release = setTimeout(settle, RELEASE_MS);
  }
  container.addEventListener("pointerout", letGo);
  container.addEventListener("focusout", letGo);

  return { set, settle, close: () => clearTimeout(release) };
}
