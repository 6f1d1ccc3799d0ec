// Search as you type: one question at a time is the latest, answers to older ones are dropped.

import { emitter } from "./emitter.js";

const PAUSE_MS = 120;
const FOUND_WITHIN_MS = 6000;

export function createSearch(send) {
  const { on, emit } = emitter();
  let request = Math.floor(Math.random() * 1e6) * 1000;
  let asked = null;
  let pause = 0;
  let patience = 0;
  let text = null;
  let found = { tracks: [], total: 0 };

  function type(next) {
    if (next === text) return;
    text = next;
    clearTimeout(pause);
    pause = setTimeout(() => ask(0), text && found.total ? PAUSE_MS : 0);
  }

  function ask(offset) {
    clearTimeout(pause);
    clearTimeout(patience);
    request += 1;
    asked = { request, offset };
    patience = setTimeout(
      () => failed({ request: asked?.request, text: "Searching takes too long just now." }),
      FOUND_WITHIN_MS,
    );
    emit("asking", { offset });
    send({ type: "find", request, text: text.slice(0, 200), offset });
  }

  function answered(message) {
    if (!asked || message.request !== asked.request) return;
    clearTimeout(patience);
    const { offset } = asked;
    asked = null;
    const earlier = offset ? found.tracks : [];
    const known = new Set(earlier.map(({ track_id }) => track_id));
    found = {
      text,
      total: message.total,
      tracks: [...earlier, ...message.tracks.filter(({ track_id }) => !known.has(track_id))],
      next: offset + message.tracks.length,
      complete: message.tracks.length === 0,
    };
    emit("found", found);
  }

  function failed(message) {
    if (!asked || message.request !== asked.request) return;
    clearTimeout(patience);
    asked = null;
    emit("failed", message.text);
  }

  return {
    on,
    type,
    answered,
    failed,
    again: () => ask(0),
    /** Ask for the next page of what was found. */
    more() {
      if (!asked && found.tracks.length && !found.complete && found.next < found.total) ask(found.next);
    },
    result: () => found,
    close() {
      clearTimeout(pause);
      clearTimeout(patience);
    },
  };
}
