// Rows of a list that can be dragged to another place, by mouse, pen or finger: the others make room.

import { clamp } from "./format.js";

const SCROLL_NEAR_PX = 48;
const SCROLL_STEP_PX = 8;
const STILL_PX = 4;

/**
 * Rows are held by the element that matches `grip`. `dropped(row, before)` is told which row another was put
 * before, null for the end; `ended()` that nothing is dragged any more. A grip that is only pressed presses its row.
 */
export function draggable(list, { grip, dropped, ended }) {
  let drag = null;

  function begin(event) {
    const row = event.target.closest?.(grip)?.closest("li");
    if (!row || drag || event.button !== 0) return;
    event.preventDefault();
    row.setPointerCapture(event.pointerId);
    const all = [...list.children];
    const from = all.indexOf(row);
    const { height } = row.getBoundingClientRect();
    drag = { row, all, from, to: from, height, pointer: event.pointerId, startY: event.clientY, startTop: top() };
    row.classList.add("is-dragged");
  }

  /** Where the list's own top is: it moves when the list scrolls under the pointer. */
  function top() {
    return list.getBoundingClientRect().top;
  }

  function move(event) {
    if (drag?.pointer !== event.pointerId) return;
    const { row, all, from, height } = drag;
    const travelled = event.clientY - drag.startY - (top() - drag.startTop);
    drag.to = clamp(from + Math.round(travelled / height), 0, all.length - 1);
    row.style.translate = `0 ${clamp(travelled, -from * height, (all.length - 1 - from) * height)}px`;
    all.forEach((each, place) => {
      if (each !== row) each.style.translate = `0 ${makesRoom(place) * height}px`;
    });
    scrollNear(event.clientY);
  }

  function makesRoom(place) {
    const { from, to } = drag;
    if (place > from && place <= to) return -1;
    return place < from && place >= to ? 1 : 0;
  }

  function scrollNear(y) {
    const frame = list.closest("aside, main");
    const box = frame.getBoundingClientRect();
    if (y < box.top + SCROLL_NEAR_PX) frame.scrollTop -= SCROLL_STEP_PX;
    else if (y > box.bottom - SCROLL_NEAR_PX) frame.scrollTop += SCROLL_STEP_PX;
  }

  function end(event) {
    if (drag?.pointer !== event.pointerId) return;
    const { row, all, from, to, startY } = drag;
    drag = null;
    row.classList.remove("is-dragged");
    for (const each of all) each.style.translate = "";
    if (event.type === "pointerup") {
      if (to !== from) dropped(row, all.filter((each) => each !== row)[to] ?? null);
      else if (Math.abs(event.clientY - startY) < STILL_PX) row.querySelector("button").click();
    }
    ended();
  }

  list.addEventListener("pointerdown", begin);
  list.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) list.addEventListener(name, end);
  return { busy: () => drag !== null };
}
