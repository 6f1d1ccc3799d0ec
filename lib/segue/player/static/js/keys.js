// Keys, where they are nobody else's: never in a text field, never with Ctrl, Alt or Meta, never under a sheet.

import { hasLetterKeys } from "./letter_keys.js";

const SEEK_S = 5;
const VOLUME_STEP = 0.05;

/** What a key means here, as the name of an action; null leaves it to the browser. */
export function keyAction(event, { lastByPointer }) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing)
    return null;
  const target = event.composedPath?.()[0] ?? event.target;
  if (target instanceof Element) {
    if (target.closest("textarea, select, [contenteditable], dialog, [role=menu]")) return null;
    const input = target.closest("input");
    if (input && input.type !== "range") return null;
    if (input && event.key.startsWith("Arrow") && !event.shiftKey) return null;
    const operable = target.closest("button, a[href], summary");
    if (operable && event.key === "Enter") return null;
    if (operable && event.key === " " && !lastByPointer && !operable.matches(".row-title, .tile"))
      return null;
  }
  if (/^[^ ]$/.test(event.key) && !hasLetterKeys()) return null;
  if (event.shiftKey) return { ArrowLeft: "previous", ArrowRight: "next", "?": "help" }[event.key] ?? null;
  return (
    {
      " ": "toggle",
      ArrowLeft: "back",
      ArrowRight: "on",
      ArrowUp: "louder",
      ArrowDown: "quieter",
      l: "like",
      d: "dislike",
      q: "queue",
      m: "map",
      "/": "find",
      "?": "help",
      Escape: "uncover",
    }[event.key] ?? null
  );
}

export function listenToKeys(app, where) {
  const { player } = app;
  let lastByPointer = false;
  let spaceTaken = false;
  const actions = {
    toggle: player.toggle,
    back: () => player.seek(player.position() - SEEK_S),
    on: () => player.seek(player.position() + SEEK_S),
    previous: player.previous,
    next: () => player.entry() && player.next(),
    louder: () => player.setVolume(player.volume() + VOLUME_STEP),
    quieter: () => player.setVolume(player.volume() - VOLUME_STEP),
    like: () => opinion("like"),
    dislike: () => opinion("dislike"),
    queue: () => queueRow(app),
    map: () => app.go("map", { focus: true }),
    find: () => app.go("find", { focus: true }),
    help: app.showKeys,
    uncover: app.uncover,
  };

  function opinion(kind) {
    const entry = player.entry();
    if (entry) app.opinions.toggle(entry.card, kind, { position: player.position(), source: entry.source });
  }

  function press(event) {
    const action = keyAction(event, { lastByPointer });
    if (!event.key.startsWith("Shift")) lastByPointer = lastByPointer && event.key !== "Tab";
    if (event.key === " ") spaceTaken = action !== null;
    if (!action || actions[action]() === false) return;
    event.preventDefault();
    event.stopPropagation();
  }
  /** Some browsers press the focused button when Space comes up. */
  function lift(event) {
    if (event.key === " " && spaceTaken) event.preventDefault();
    spaceTaken = false;
  }
  const point = () => (lastByPointer = true);
  where.addEventListener("keydown", press);
  where.addEventListener("keyup", lift);
  app.root.addEventListener("pointerdown", point);
  return {
    close() {
      where.removeEventListener("keydown", press);
      where.removeEventListener("keyup", lift);
      app.root.removeEventListener("pointerdown", point);
    },
  };
}

function queueRow(app) {
  const row = app.root.querySelector(":is(.row, .near, .tile):is(:hover, :focus-within)");
  if (row?.segueItem) app.enqueue(row.segueItem);
}
