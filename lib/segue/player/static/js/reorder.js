// Rows of a track list in an order of one's own: dragged by their prints, or moved by Alt and an arrow.

import { draggable } from "./drag.js";

/** `move(trackId, before)` is told where a row shall stand: before another track, or at the end for null. */
export function reorderable(rows, move) {
  const idOf = (row) => (row ? Number(row.dataset.trackId) : null);
  draggable(rows, {
    grip: ".row-print",
    dropped: (row, before) => move(idOf(row), idOf(before)),
    ended() {},
  });
  rows.addEventListener("keydown", (event) => {
    const row = event.altKey && event.target.closest(".row");
    if (!row || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const { previousElementSibling: above, nextElementSibling: below } = row;
    if (event.key === "ArrowUp" && above) move(idOf(row), idOf(above));
    if (event.key === "ArrowDown" && below) move(idOf(row), idOf(below.nextElementSibling));
  });
}
