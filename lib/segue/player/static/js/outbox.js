// Every act is kept in the browser until the kernel says that Kafka has it; it may be sent often, with one id.
// Oldest first; an act waits for an older one on the same track, so that the last word stays the last.
// What was only in view is no act: it holds nothing up, and only the last of it is kept.

import { emitter } from "./emitter.js";
import { lasting } from "./keep.js";

const KEPT_MOST = 2000;
const AT_ONCE = 16;
const A_SECOND = 15;
const SECOND_MS = 1000;
const ANSWER_MS = 3000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10_000;
const PATIENCE = 6;
const FORGOTTEN_FIRST = ["impression", "progress", "play"];

export function createOutbox(transmit) {
  const { on, emit } = emitter();
  const entries = new Map();
  let prefix = null;
  let wait = 0;
  let timer = 0;
  let pace = 0;
  let counter = 0;
  let sends = [];

  /** Take up what an earlier page of this listener has left. */
  function open(listener, dataset) {
    const wanted = `segue.act/${listener}/${dataset}/`;
    if (prefix !== wanted) {
      prefix = wanted;
      entries.clear();
      for (const key of lasting.keys(prefix)) {
        const act = lasting.get(key);
        if (act?.event_id) entries.set(act.event_id, { key, act, tries: 0, sentAt: 0, failed: true });
        else lasting.remove(key);
      }
    }
    retry();
  }

  function add(act) {
    if (isImpression(act)) forgetImpressions();
    counter += 1;
    const stamp = Date.now().toString(36).padStart(9, "0") + counter.toString(36).padStart(5, "0");
    const entry = { key: `${prefix}${stamp}-${act.event_id}`, act, tries: 0, sentAt: 0, failed: wait > 0 };
    entries.set(act.event_id, entry);
    lasting.set(entry.key, act);
    while (entries.size > KEPT_MOST) forget(leastMissed());
    if (!wait) flush();
    emit("change");
  }

  function forgetImpressions() {
    for (const entry of entries.values()) if (isImpression(entry.act)) forget(entry);
  }

  function forget(entry) {
    lasting.remove(entry.key);
    entries.delete(entry.act.event_id);
  }

  function leastMissed() {
    const all = [...entries.values()];
    for (const kind of FORGOTTEN_FIRST) {
      const found = all.find(({ act }) => act.kind === kind);
      if (found) return found;
    }
    return all[0];
  }

  function accepted(id) {
    const entry = entries.get(id);
    if (!entry) return;
    forget(entry);
    wait = 0;
    flush();
    emit("change");
  }

  /** Returns the act that was refused; it is not sent again. */
  function refused(id) {
    const entry = entries.get(id);
    if (!entry) return null;
    accepted(id);
    return entry.act;
  }

  function later(id) {
    if (entries.get(id)?.sentAt) backOff();
  }

  /** Send again at once: the other side is back. */
  function retry() {
    wait = 0;
    for (const entry of entries.values()) entry.sentAt = 0;
    flush();
    emit("change");
  }

  function flush() {
    clearTimeout(timer);
    const now = Date.now();
    const due = wait ? [probe()] : [...entries.values()];
    sends = sends.filter((at) => now - at < SECOND_MS);
    const spoken = new Set();
    let oldest = Infinity;
    let flying = 0;
    for (const entry of due) {
      if (!entry || flying >= AT_ONCE) break;
      if (!isImpression(entry.act)) {
        if (!entry.sentAt && spoken.has(entry.act.track_id)) continue;
        spoken.add(entry.act.track_id);
      }
      if (!entry.sentAt) {
        if (sends.length >= A_SECOND) break;
        sends.push(now);
        entry.sentAt = now;
        entry.tries += 1;
        transmit(entry.act);
      }
      flying += 1;
      oldest = Math.min(oldest, entry.sentAt);
    }
    if (flying) timer = setTimeout(backOff, Math.max(0, oldest + ANSWER_MS - now));
    if (sends.length >= A_SECOND && !wait) pace = pace || setTimeout(goOn, SECOND_MS - (now - sends[0]));
  }

  /** All but what was only in view. */
  function done() {
    return [...entries.values()].filter(({ act }) => !isImpression(act));
  }

  /** The one act to try while nobody answers: the oldest, unless it alone is the trouble. */
  function probe() {
    const doings = done();
    const all = doings.length ? doings : [...entries.values()];
    const leastTried = all.reduce((best, each) => (best && best.tries <= each.tries ? best : each), null);
    return all.find(({ tries }) => tries < PATIENCE) ?? leastTried;
  }

  /** The kernel takes only so many a second. */
  function goOn() {
    pace = 0;
    if (!wait) flush();
  }

  function backOff() {
    for (const entry of entries.values()) Object.assign(entry, { sentAt: 0, failed: true });
    wait = wait ? Math.min(2 * wait, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
    emit("change");
    emit("unanswered");
  }

  return {
    on,
    open,
    add,
    accepted,
    refused,
    later,
    retry,
    acts: () => [...entries.values()].map(({ act }) => act),
    size: () => done().length,
    /** Acts that were not taken at the first try: those the listener is told of. */
    waiting: () => done().filter(({ failed }) => failed).length,
    close() {
      clearTimeout(timer);
      clearTimeout(pace);
    },
  };
}

function isImpression(act) {
  return act.kind === "impression";
}
