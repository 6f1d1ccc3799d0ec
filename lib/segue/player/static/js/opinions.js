// Likes and dislikes as shown: what the kernel knows, and over it what this page has said.

import { emitter } from "./emitter.js";
import { session } from "./keep.js";

const SAID = "segue.said";
const OPINIONS = { like: "like", dislike: "dislike", clear: null };

export function createOpinions(acts, outbox) {
  const { on, emit } = emitter();
  let known = new Map();
  let order = [];
  let said = new Map();
  let place = "";

  /** Take the kernel's word; what was said here since may still be on its way to it. */
  function replace(likes, dislikes, listener, dataset) {
    known = new Map();
    for (const id of likes) known.set(id, "like");
    for (const id of dislikes) known.set(id, "dislike");
    order = [...likes];
    if (place !== `${SAID}/${listener}/${dataset}`) {
      place = `${SAID}/${listener}/${dataset}`;
      said = new Map(session.get(place) ?? []);
    }
    for (const act of outbox.acts()) if (act.kind in OPINIONS) said.set(act.track_id, OPINIONS[act.kind]);
    emit("change", null);
  }

  function of(trackId) {
    return said.has(trackId) ? said.get(trackId) : (known.get(trackId) ?? null);
  }

  function say(trackId, opinion) {
    said.delete(trackId);
    said.set(trackId, opinion);
    session.set(place, [...said]);
    emit("change", trackId);
  }

  /** Like or dislike; saying the same again takes it back. */
  function toggle(card, opinion, detail) {
    const next = of(card.track_id) === opinion ? null : opinion;
    say(card.track_id, next);
    acts.act(next ?? "clear", card, detail);
    return next;
  }

  /** What the kernel refused was never said. */
  function takeBack(act) {
    if (!(act.kind in OPINIONS)) return;
    said.delete(act.track_id);
    session.set(place, [...said]);
    emit("change", act.track_id);
  }

  /** Ids of liked tracks, the last liked first. */
  function liked() {
    const here = [...said].filter(([, opinion]) => opinion === "like").map(([id]) => id);
    return [...new Set([...here.reverse(), ...order])].filter((id) => of(id) === "like");
  }

  return { on, replace, of, toggle, takeBack, liked };
}
