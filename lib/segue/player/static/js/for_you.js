// The listener's list as it stands: what is new in it, what is not wanted in it, and what changed it.

import { emitter } from "./emitter.js";

const DEEDS = {
  like: (title) => ["because you liked ", title],
  dislike: (title) => ["because ", title, " was not for you"],
  clear: (title) => ["because you changed your mind about ", title],
  rate: (title) => ["because you rated ", title],
  skip: (title) => ["because you skipped ", title],
  complete: (title) => ["because you heard ", title, " to the end"],
  progress: (title) => ["because you listen to ", title],
  play: (title) => ["because you played ", title],
};

const OPINIONS_SAID = ["like", "dislike", "clear", "rate", "skip"];
const SAID_LASTS_MS = 8000;

export function createForYou(opinions, acts) {
  const { on, emit } = emitter();
  const fresh = new Set();
  let list = null;
  let asked = true;
  let change = null;

  function replace(recommendation) {
    const before = list && new Set(list.items.map(({ track }) => track.track_id));
    const isUpdate = Boolean(before?.size) && recommendation.recommendation_id !== list.recommendation_id;
    list = { ...recommendation, items: recommendation.items ?? [] };
    asked = false;
    const now = new Set(list.items.map(({ track }) => track.track_id));
    for (const id of [...fresh]) if (!now.has(id)) fresh.delete(id);
    if (isUpdate) for (const id of now) if (!before.has(id)) fresh.add(id);
    if (isUpdate) change = changeBy(recommendation.caused_by);
    emit("change", { isUpdate });
  }

  /** Playing goes along with most that one does: it does not take the word from a like just said. */
  function changeBy(eventId) {
    const deed = eventId ? acts.told(eventId) : null;
    const at = Date.now();
    const spoken = change?.said && at - change.at < SAID_LASTS_MS;
    if (spoken && !OPINIONS_SAID.includes(deed?.kind)) return { ...change, at };
    const words = deed && deed.kind in DEEDS ? DEEDS[deed.kind](deed.title) : [];
    return { at, words, said: OPINIONS_SAID.includes(deed?.kind) };
  }

  /** Where whatever is done in this list comes from; null while there is none. */
  function sourceOf() {
    if (!list?.items.length) return null;
    return {
      list: "for-you",
      model: (list.model ?? "").slice(0, 40),
      recommendation_id: list.recommendation_id ?? null,
    };
  }

  function items() {
    if (!list) return [];
    const source = sourceOf();
    return list.items
      .filter(({ track }) => opinions.of(track.track_id) !== "dislike")
      .map(({ track, why }) => ({
        card: track,
        why,
        source,
        isNew: fresh.has(track.track_id),
        seen: () => fresh.delete(track.track_id),
      }));
  }

  return {
    on,
    replace,
    items,
    source: sourceOf,
    waiting: () => asked,
    change: () => change,
    /** A list for everybody: nothing is known of this listener yet. */
    impersonal: () =>
      Boolean(list) &&
      (!list.recommendation_id ||
        (list.items.length > 0 && list.items.every(({ why }) => why?.kind === "popular"))),
  };
}
