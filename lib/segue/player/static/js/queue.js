// What was, is and will be played. An entry is a card with where it came from; what was asked for goes first.
// The round is the list that was started: repeat all begins it again, and without shuffle it gives the order.
// What follows it is filled in where the round is over, so that the music does not stop.

import { emitter } from "./emitter.js";
import { lasting } from "./keep.js";

const PAST_KEPT = 100;
const SAVED = 500;
const REPEATS = ["off", "all", "one"];
const SHUFFLE = "segue.shuffle";
const REPEAT = "segue.repeat";

export function createQueue() {
  const { on, emit } = emitter();
  let past = [];
  let current = null;
  let asked = [];
  let rest = [];
  let round = [];
  let takenOut = new Set();
  let isFilled = false;
  let shuffled = lasting.get(SHUFFLE) === true;
  let repeat = REPEATS.includes(lasting.get(REPEAT)) ? lasting.get(REPEAT) : "off";

  function move(next) {
    if (current) past = [...past, current].slice(-PAST_KEPT);
    current = next;
    emit("change");
    return current;
  }

  function upcoming() {
    return [...asked, ...rest];
  }

  /** The first `pinned` stay as they are, whatever becomes of the list behind them. */
  function set(entries, pinned) {
    asked = entries.slice(0, pinned);
    rest = entries.slice(pinned);
    emit("change");
  }

  /** A list as it is to come: with shuffle what was shuffled stays where it is, and the new falls in between. */
  function ordered(entries, before = []) {
    if (!shuffled) return entries;
    const byTrack = new Map(entries.map((entry) => [entry.card.track_id, entry]));
    const kept = before.map(({ card }) => byTrack.get(card.track_id)).filter(Boolean);
    const mixed = [...new Set(kept)];
    const known = new Set(mixed);
    for (const entry of entries)
      if (!known.has(entry)) mixed.splice(Math.floor(Math.random() * (mixed.length + 1)), 0, entry);
    return mixed;
  }

  function setShuffle(wanted) {
    shuffled = wanted;
    lasting.set(SHUFFLE, shuffled);
    if (shuffled) rest = ordered(rest);
    else rest = inRound(rest);
    emit("change");
  }

  /** In the order of the round, from what plays on and around. */
  function inRound(entries) {
    const places = new Map(round.map(({ card }, place) => [card.track_id, place]));
    const here = places.get(current?.card.track_id) ?? -1;
    const place = ({ card }) => {
      const own = places.get(card.track_id);
      return own === undefined ? round.length : (own - here - 1 + round.length) % round.length;
    };
    return [...entries].sort((one, other) => place(one) - place(other));
  }

  /** To repeat all is to stay with the list that was started: what was put behind it goes. */
  function setRepeat(wanted) {
    repeat = wanted;
    lasting.set(REPEAT, repeat);
    if (repeat === "all" && isFilled) rest = [];
    if (repeat === "all" && current && !upcoming().length) again();
    else emit("change");
  }

  /** The list that was started, once more. */
  function again() {
    rest = ordered(round.length ? [...round] : [current].filter(Boolean));
    isFilled = false;
    emit("change");
  }

  return {
    on,
    upcoming,
    current: () => current,
    asked: () => asked.length,
    shuffled: () => shuffled,
    repeat: () => repeat,
    setShuffle,
    setRepeat,
    again,
    /** Off, all, one, and off again. */
    turnRepeat: () => setRepeat(REPEATS[(REPEATS.indexOf(repeat) + 1) % REPEATS.length]),
    heard: (trackId) =>
      current?.card.track_id === trackId || past.some(({ card }) => card.track_id === trackId),
    hasPrevious: () => past.length > 0,
    hasNext: () => asked.length + rest.length > 0,
    peek: () => asked[0] ?? rest[0] ?? null,

    /** Play one entry of a list now, then the entries after it; with shuffle all others of the list. */
    start(entries, index) {
      round = [...entries];
      takenOut = new Set();
      isFilled = false;
      rest = ordered(shuffled ? entries.toSpliced(index, 1) : entries.slice(index + 1));
      return move(entries[index]);
    },
    /** Go on with the first of what is to come, or with a later one, leaving those before it where they are. */
    next(at = 0) {
      const entry = upcoming()[at];
      if (!entry) return null;
      if (at < asked.length) asked = asked.toSpliced(at, 1);
      else rest = rest.toSpliced(at - asked.length, 1);
      return move(entry);
    },
    previous() {
      const entry = past.pop() ?? null;
      if (!entry) return null;
      if (current) asked = [current, ...asked];
      current = entry;
      emit("change");
      return entry;
    },
    jump(index) {
      const all = upcoming();
      const pinned = Math.max(0, asked.length - index - 1);
      asked = all.slice(index + 1, index + 1 + pinned);
      rest = all.slice(index + 1 + pinned);
      return move(all[index]);
    },
    ask(entry, { first = false } = {}) {
      asked = first ? [entry, ...asked] : [...asked, entry];
      emit("change");
    },
    remove(index) {
      const all = upcoming();
      if (all[index]) takenOut.add(all[index].card.track_id);
      set(all.toSpliced(index, 1), index < asked.length ? asked.length - 1 : asked.length);
    },
    /** Put one elsewhere; it and what stands before it stay there, as if they had been asked for. */
    move(from, to) {
      const all = upcoming();
      const [entry] = all.splice(from, 1);
      if (!entry) return;
      all.splice(to, 0, entry);
      const joins = from >= asked.length && to < asked.length;
      set(all, joins ? asked.length + 1 : Math.max(asked.length, to + 1));
    },
    /** Take every entry of a track away: it is not liked. */
    drop(trackId) {
      const others = ({ card }) => card.track_id !== trackId;
      [asked, rest, round] = [asked, rest, round].map((entries) => entries.filter(others));
      emit("change");
    },
    /** What comes after the asked-for follows a list that lives; what was taken out stays out. */
    follow(entries) {
      isFilled ||= !rest.length;
      const there = new Set([...takenOut, ...asked.map(({ card }) => card.track_id)]);
      rest = ordered(
        entries.filter(({ card }) => !there.has(card.track_id)),
        rest,
      );
      emit("change");
    },
    /** Whether a list comes next, or nothing does; not if it is that very list, which is as it was put. */
    follows({ list, recommendation_id }) {
      if (!rest.length) return repeat !== "all";
      const ofList = rest.every(({ source }) => source.list === list);
      return ofList && rest[0].source.recommendation_id !== recommendation_id;
    },
    snapshot: () => ({
      past: past.slice(-20),
      current,
      asked,
      rest: rest.slice(0, SAVED),
      round: round.slice(0, SAVED),
      takenOut: [...takenOut],
      isFilled,
    }),
    restore(saved) {
      ({ past = [], current = null, asked = [], rest = [], round = [], isFilled = false } = saved);
      takenOut = new Set(saved.takenOut);
      emit("change");
    },
  };
}
