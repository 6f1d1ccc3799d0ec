// A list of tracks in its four states: loading, empty, error, and full. Offline is full with a mark beside it.

import { h, keepingFocus } from "./dom.js";
import { glidingList } from "./glide.js";
import { trackRow } from "./row.js";

const SEEN_MS = 1500;

/**
 * Items are {card, source, why, isNew, seen}; `entries()` is what a click queues, unless the items shown.
 * A `live` list glides, puts a dot on what is new, and calls `sighted` when a row comes into sight or goes.
 */
export function trackList(app, { label, testid, live = false, entries = null, sighted = () => {} }) {
  const rows = h("ul", { class: "rows", "aria-label": label });
  const frame = h("div", { class: "list", "data-testid": testid }, rows);
  let items = [];
  const queued = entries ?? (() => items);
  const glide = live
    ? glidingList(rows, {
        keyOf: (item) => item.card.track_id,
        make: (item) => watched(trackRow(app, item, queued)),
        update: (row, item) => row.segueTell(item),
      })
    : null;
  const timers = new Map();
  const seen = new IntersectionObserver((changes) => changes.forEach(noteSeen), { threshold: 0.6 });

  function watched(row) {
    seen.observe(row);
    return row;
  }

  /** A dot goes once its row was in sight for a moment. */
  function noteSeen({ target, isIntersecting }) {
    sighted(target, isIntersecting);
    clearTimeout(timers.get(target));
    timers.delete(target);
    if (isIntersecting && target.segueItem.isNew) timers.set(target, setTimeout(sight, SEEN_MS, target));
  }

  function sight(row) {
    timers.delete(row);
    row.segueItem.seen?.();
    row.segueTell({ isNew: false });
  }

  function show(next) {
    items = next;
    if (rows.parentNode !== frame) frame.replaceChildren(rows);
    frame.removeAttribute("aria-busy");
    if (glide) {
      glide.set(items);
      for (const row of rows.children) if (row.segueItem.isNew) watchAgain(row);
    } else {
      const kept = new Map([...rows.children].map((row) => [row.segueItem.card.track_id, row]));
      const wanted = items.map((item) => kept.get(item.card.track_id) ?? trackRow(app, item, queued));
      keepingFocus(rows, () => rows.replaceChildren(...wanted));
    }
  }

  function watchAgain(row) {
    seen.unobserve(row);
    seen.observe(row);
  }

  function instead(...children) {
    items = [];
    glide?.set([]);
    if (!glide) rows.replaceChildren();
    keepingFocus(frame, () => frame.replaceChildren(...children));
  }

  return {
    element: frame,
    show,
    items: () => items,
    focus: (index) => rows.children[index]?.querySelector(".row-title").focus(),
    loading(number) {
      frame.setAttribute("aria-busy", "true");
      instead(h("ul", { class: "rows", "aria-hidden": "true" }, Array.from({ length: number }, skeleton)));
    },
    /** One sentence and one action. */
    empty(sentence, action) {
      frame.removeAttribute("aria-busy");
      instead(stated("state-empty", sentence, action));
    },
    failed(sentence, action) {
      frame.removeAttribute("aria-busy");
      instead(stated("state-failed", sentence, action));
    },
    close() {
      glide?.close();
      seen.disconnect();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

export function skeleton() {
  const line = (width) => h("span", { class: "skeleton-line", style: `width:${width}` });
  return h(
    "li",
    { class: "row skeleton" },
    h("span", { class: "row-print skeleton-print" }),
    h("div", { class: "row-words" }, line("11em"), line("19em")),
  );
}

/** A sentence and, unless it is null, an action {label, act}. */
export function stated(kind, sentence, action) {
  return h(
    "div",
    { class: `state ${kind}`, role: kind === "state-failed" ? "alert" : null },
    h("p", {}, sentence),
    action && h("button", { class: "button", type: "button", onclick: action.act }, action.label),
  );
}
