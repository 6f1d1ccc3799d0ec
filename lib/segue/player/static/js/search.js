// Search as you type: one question at a time is the latest, answers to older ones are dropped.

import { emitter } from "./emitter.js";

const FAST_MS = 80;
const PAUSE_MS = 120;
const FOUND_WITHIN_MS = 6000;

export function createSearch(send) {
  const { on, emit } = emitter();
  let request = Math.floor(Math.random() * 1e6) * 1000;
  let asked = null;
  let tookMs = 0;
  let pause = 0;
  let patience = 0;
  let text = null;
  let chosen = {};
  let found = { tracks: [], total: 0 };

  function type(next) {
    if (next === text) return;
    text = next;
    clearTimeout(pause);
    // While answers are quick each letter asks; a slow kernel gets what was typed in a while.
    if (asked || tookMs > FAST_MS) pause = setTimeout(() => ask(0), PAUSE_MS);
    else ask(0);
  }

  /** Want one value of `genre`, `licence` or `length`, or `unheard`; null for any. */
  function narrow(name, value) {
    chosen = { ...chosen, [name]: value };
    if (!value) delete chosen[name];
    ask(0);
  }

  function ask(offset) {
    clearTimeout(pause);
    pause = 0;
    clearTimeout(patience);
    request += 1;
    asked = { request, offset, at: performance.now() };
    patience = setTimeout(
      () => failed({ request: asked?.request, text: "Searching takes too long just now." }),
      FOUND_WITHIN_MS,
    );
    emit("asking", { offset });
    send({ type: "find", request, text: text.slice(0, 200), offset, ...chosen });
  }

  function answered(message) {
    if (!asked || message.request !== asked.request) return;
    clearTimeout(patience);
    const { offset, at } = asked;
    tookMs = performance.now() - at;
    asked = null;
    // What has been typed meanwhile waits no longer; a further page for another text is of no use.
    const owed = pause !== 0;
    if (!owed || !offset) take(message, offset);
    if (owed) ask(0);
  }

  function take(message, offset) {
    const earlier = offset ? found.tracks : [];
    const known = new Set(earlier.map(({ track_id }) => track_id));
    found = {
      text,
      total: message.total,
      facets: offset ? found.facets : (message.facets ?? {}),
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
    narrow,
    answered,
    failed,
    again: () => ask(0),
    /** Ask for the next page of what was found. */
    more() {
      if (!asked && !pause && found.tracks.length && !found.complete && found.next < found.total)
        ask(found.next);
    },
    chosen: () => chosen,
    widen() {
      chosen = {};
      ask(0);
    },
    close() {
      clearTimeout(pause);
      clearTimeout(patience);
    },
  };
}
