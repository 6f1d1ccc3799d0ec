// Likes, dislikes and stars as shown: what the kernel knows, and over it what this page has said.
// A track has one word, the last: three stars and more are a like, fewer mean that it is not for this listener.

import { emitter } from "./emitter.js";
import { session } from "./keep.js";

const SAID = "segue.said";
const STARS = "segue.stars";
const OPINIONS = { like: "like", dislike: "dislike", clear: null };
const LEAST_LIKED = 3;

export function createOpinions(acts, outbox) {
  const { on, emit } = emitter();
  let known = new Map();
  let order = [];
  let said = new Map();
  let place = "";
  let knownStars = new Map();
  let saidStars = new Map();

  /** Take the kernel's word; what was said here since may still be on its way to it. */
  function replace(likes, dislikes, listener, dataset) {
    known = new Map();
    for (const id of likes) known.set(id, "like");
    for (const id of dislikes) known.set(id, "dislike");
    order = [...likes];
    if (place !== `${SAID}/${listener}/${dataset}`) {
      place = `${SAID}/${listener}/${dataset}`;
      said = new Map(session.get(place) ?? []);
      saidStars = new Map(session.get(place.replace(SAID, STARS)) ?? []);
      knownStars = new Map();
    }
    for (const act of outbox.acts()) {
      if (act.kind !== "rate" && !(act.kind in OPINIONS)) continue;
      said.set(act.track_id, act.kind === "rate" ? meant(act.value) : OPINIONS[act.kind]);
      saidStars.set(act.track_id, act.value ?? null);
    }
    emit("change", null);
  }

  function of(trackId) {
    return said.has(trackId) ? said.get(trackId) : (known.get(trackId) ?? null);
  }

  function stars(trackId) {
    return saidStars.has(trackId) ? saidStars.get(trackId) : (knownStars.get(trackId) ?? null);
  }

  function say(trackId, opinion, given = null) {
    said.delete(trackId);
    said.set(trackId, opinion);
    saidStars.set(trackId, given);
    keep();
    emit("change", trackId);
  }

  function keep() {
    session.set(place, [...said]);
    session.set(place.replace(SAID, STARS), [...saidStars]);
  }

  function meant(value) {
    return value >= LEAST_LIKED ? "like" : "dislike";
  }

  /** Like or dislike; saying the same again takes it back. */
  function toggle(card, opinion, detail) {
    const next = of(card.track_id) === opinion ? null : opinion;
    say(card.track_id, next);
    acts.act(next ?? "clear", card, detail);
    return next;
  }

  /** Give 1 to 5 stars; the same again takes them back. */
  function rate(card, value, detail) {
    const again = stars(card.track_id) === value;
    say(card.track_id, again ? null : meant(value), again ? null : value);
    acts.act(again ? "clear" : "rate", card, again ? detail : { ...detail, value });
  }

  /** Stars given before this page: `{track_id, value}` each. */
  function learnStars(given) {
    knownStars = new Map(given.map(({ track_id, value }) => [track_id, value]));
    emit("change", null);
  }

  /** What the kernel refused was never said. */
  function takeBack(act) {
    if (act.kind !== "rate" && !(act.kind in OPINIONS)) return;
    said.delete(act.track_id);
    saidStars.delete(act.track_id);
    keep();
    emit("change", act.track_id);
  }

  /** Ids of liked tracks, the last liked first. */
  function liked() {
    const here = [...said].filter(([, opinion]) => opinion === "like").map(([id]) => id);
    return [...new Set([...here.reverse(), ...order])].filter((id) => of(id) === "like");
  }

  return { on, replace, of, toggle, stars, rate, learnStars, takeBack, liked };
}
