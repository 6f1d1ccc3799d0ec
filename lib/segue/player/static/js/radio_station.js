// The radio: what it is tuned to, what was said of what it played, and the queue that it keeps filled.

import { emitter } from "./emitter.js";
import { session } from "./keep.js";

const KEPT = "segue.radio";
const LIST = "radio";
const SEEDS_MOST = 10;
const SAID_MOST = 20;
const HEARD_MOST = 200;
const AHEAD_LEAST = 4;

export function createRadio(app) {
  const { on, emit } = emitter();
  let tuned = { ...nothing(), ...session.get(KEPT) };
  let asking = 0;
  let wait = 0;
  let trouble = "";
  let isDry = false;

  const isOurs = (entry) => entry?.source?.list === LIST;
  const idsOf = (cards) => cards.map((card) => card.track_id);

  function nothing() {
    return { about: "", place: "", plus: [], minus: [], likes: [], skips: [], heard: [], isOn: false };
  }

  function changed() {
    session.set(KEPT, tuned);
    emit("change");
  }

  /** Entries of ours that are to come. */
  function ahead() {
    return app.queue.upcoming().slice(app.queue.asked()).filter(isOurs);
  }

  /** What plays next, besides `coming`; null where there is no answer, or a later question was asked. */
  async function ask(coming) {
    asking += 1;
    wait += 1;
    const own = asking;
    trouble = "";
    emit("change");
    try {
      const entry = app.player.entry();
      const heard = [...tuned.heard, ...(isOurs(entry) ? [entry.card.track_id] : []), ...idsOf(coming)];
      const told = await app.ask("radio", {
        plus: idsOf(tuned.plus),
        minus: idsOf(tuned.minus),
        likes: tuned.likes,
        skips: tuned.skips,
        heard: [...new Set(heard.reverse())].reverse().slice(-HEARD_MOST),
      });
      if (own !== asking) return null;
      app.learn(told.items.map(({ track }) => track));
      // Since it was asked another track may have begun, or been disliked.
      const current = app.player.entry()?.card.track_id;
      const wanted = told.items.filter(
        ({ track: { track_id } }) => track_id !== current && app.opinions.of(track_id) !== "dislike",
      );
      isDry = wanted.length === 0;
      return wanted.map(({ track, why }) => ({ card: track, why, source: { list: LIST } }));
    } catch (error) {
      if (own === asking) trouble = error.message;
      return null;
    } finally {
      wait -= 1;
      emit("change");
    }
  }

  async function start() {
    if (!tuned.plus.length) return;
    const entries = await ask([]);
    if (!entries?.length) return;
    tuned.isOn = true;
    app.player.playFrom(entries, 0);
    changed();
  }

  /** Keep the queue filled; it is off once something else plays and nothing of it is to come. */
  async function goOn() {
    if (!tuned.isOn || wait) return;
    const coming = ahead();
    if (!coming.length && !isOurs(app.player.entry())) {
      tuned.isOn = false;
      changed();
    } else if (coming.length < AHEAD_LEAST) {
      const entries = await ask(coming.map(({ card }) => card));
      if (entries?.length && tuned.isOn) app.queue.follow([...ahead(), ...entries]);
    }
  }

  /** What is to come follows what was just said. */
  async function followChange() {
    changed();
    if (!tuned.isOn || !tuned.plus.length) return;
    const entries = await ask([]);
    if (entries?.length && tuned.isOn) app.queue.follow(entries);
  }

  /** Take a track for more of it (`plus`) or less (`minus`); it stands on one side. */
  function add(card, side) {
    drop(card.track_id, { quietly: true });
    tuned[side] = [...tuned[side], bare(card)].slice(-SEEDS_MOST);
    followChange();
  }

  function drop(trackId, { quietly = false } = {}) {
    for (const side of ["plus", "minus"])
      tuned[side] = tuned[side].filter((card) => card.track_id !== trackId);
    if (!quietly) followChange();
  }

  function bare({ track_id, title, artist, print }) {
    return { track_id, title, artist, print };
  }

  /** Begin anew with these; `about` is the address that says the same. What was asked before is not played. */
  function tune({ plus, minus = [], about = "" }) {
    asking += 1;
    tuned = {
      ...nothing(),
      place: tuned.place,
      plus: plus.slice(0, SEEDS_MOST).map(bare),
      minus: minus.slice(0, SEEDS_MOST).map(bare),
      about,
    };
    trouble = "";
    isDry = false;
    changed();
  }

  function say(trackId, side) {
    for (const each of ["likes", "skips"]) tuned[each] = tuned[each].filter((id) => id !== trackId);
    if (side) tuned[side] = [...tuned[side], trackId].slice(-SAID_MOST);
    followChange();
  }

  app.player.on("begun", (entry) => {
    if (!isOurs(entry)) return;
    tuned.heard = [...tuned.heard, entry.card.track_id].slice(-HEARD_MOST);
    changed();
  });
  app.player.on("track", goOn);
  app.player.on("skipped", () => {
    const entry = app.player.entry();
    if (tuned.isOn && isOurs(entry) && app.opinions.of(entry.card.track_id) !== "like")
      say(entry.card.track_id, "skips");
  });
  app.opinions.on("change", (trackId) => {
    const entry = app.player.entry();
    const isPlayed = tuned.heard.includes(trackId) || (isOurs(entry) && entry.card.track_id === trackId);
    if (!tuned.isOn || trackId === null || !isPlayed) return;
    say(trackId, { like: "likes", dislike: "skips" }[app.opinions.of(trackId)]);
  });
  app.state.on("welcome", ({ listener, dataset }) => {
    const place = `${listener.id}/${dataset.title}`;
    if (tuned.place && tuned.place !== place) tuned = nothing();
    tuned.place = place;
    changed();
  });

  return {
    on,
    start,
    tune,
    add,
    drop,
    ahead,
    seeds: (side) => tuned[side],
    about: () => tuned.about,
    isOn: () => tuned.isOn,
    isAsking: () => wait > 0,
    trouble: () => trouble,
    isDry: () => isDry,
    /** "Radio from this". */
    from(card) {
      tune({ plus: [card], about: String(card.track_id) });
      app.go("radio", { about: card.track_id });
      start();
    },
  };
}
