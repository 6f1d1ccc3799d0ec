// What was, is and will be played. An entry is a card with where it came from; what was asked for goes first.

import { emitter } from "./emitter.js";

const PAST_KEPT = 100;

export function createQueue() {
  const { on, emit } = emitter();
  let past = [];
  let current = null;
  let asked = [];
  let rest = [];

  function move(next) {
    if (current) past = [...past, current].slice(-PAST_KEPT);
    current = next;
    emit("change");
    return current;
  }

  return {
    on,
    current: () => current,
    upcoming: () => [...asked, ...rest],
    asked: () => asked.length,
    heard: (trackId) =>
      current?.card.track_id === trackId || past.some(({ card }) => card.track_id === trackId),
    hasPrevious: () => past.length > 0,
    hasNext: () => asked.length + rest.length > 0,

    /** Play one entry of a list now, then the entries after it. */
    start(entries, index) {
      rest = entries.slice(index + 1);
      return move(entries[index]);
    },
    next() {
      const entry = asked.shift() ?? rest.shift() ?? null;
      return entry ? move(entry) : null;
    },
    previous() {
      const entry = past.pop() ?? null;
      if (!entry) return null;
      if (current) rest = [current, ...rest];
      current = entry;
      emit("change");
      return entry;
    },
    jump(index) {
      const upcoming = [...asked, ...rest];
      const entry = upcoming[index];
      asked = asked.slice(index + 1);
      rest = rest.slice(Math.max(0, index + 1 - (upcoming.length - rest.length)));
      return move(entry);
    },
    ask(entry, { first = false } = {}) {
      asked = first ? [entry, ...asked] : [...asked, entry];
      emit("change");
    },
    remove(index) {
      if (index < asked.length) asked = asked.filter((_, each) => each !== index);
      else rest = rest.filter((_, each) => each !== index - asked.length);
      emit("change");
    },
    /** Take every entry of a track away: it is not liked. */
    drop(trackId) {
      asked = asked.filter(({ card }) => card.track_id !== trackId);
      rest = rest.filter(({ card }) => card.track_id !== trackId);
      emit("change");
    },
    /** What comes after the asked-for follows a list that lives. */
    follow(entries) {
      rest = entries;
      emit("change");
    },
    follows: (list) => rest.length === 0 || rest.every(({ source }) => source.list === list),
    snapshot: () => ({ past: past.slice(-20), current, asked, rest }),
    restore(saved) {
      ({ past = [], current = null, asked = [], rest = [] } = saved);
      emit("change");
    },
  };
}
