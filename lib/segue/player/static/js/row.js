// A row is one sentence: print, title, artist, the reason, how long; a click plays it.

import { h, setAttribute, setText } from "./dom.js";
import { clock, spoken } from "./format.js";
import { icon } from "./icons.js";
import { soundPrint } from "./print.js";

const refreshers = new WeakMap();

/** Bring every row of a track (of all tracks for null) up to date with what is liked and what plays. */
export function refreshRows(root, trackId) {
  const chosen = trackId === null ? "[data-track-id]" : `[data-track-id="${Number(trackId)}"]`;
  for (const element of root.querySelectorAll(chosen)) refreshers.get(element)?.();
}

export function onRefresh(element, refresh) {
  refreshers.set(element, refresh);
  refresh();
}

/** `item`: {card, source, why, isNew}; `entries()` gives the list that the row stands in, for the queue. */
export function trackRow(app, item, entries) {
  const { card } = item;
  const reason = h("span", { class: "row-reason", "data-testid": "reason" });
  const dot = h("span", { class: "row-dot", hidden: true });
  const unseen = h("span", { class: "unseen" });
  const title = h(
    "button",
    { class: "row-title", type: "button", "data-testid": "play", onclick: play },
    card.title,
  );
  const row = h(
    "li",
    { class: "row", "data-testid": "row", "data-track-id": card.track_id },
    h(
      "span",
      { class: "row-print" },
      soundPrint(card.print),
      h("span", { class: "row-state" }, icon("play"), icon("pause")),
    ),
    h(
      "div",
      { class: "row-words" },
      h("div", { class: "row-name" }, title, dot, unseen),
      h(
        "span",
        { class: "row-artist" },
        h("span", { class: "row-by" }, card.artist),
        composedMark(card, "row-mark"),
      ),
      reason,
    ),
    h(
      "div",
      { class: "row-actions" },
      ...opinionButtons(
        app,
        () => card,
        () => ({ source: item.source }),
      ),
      moreButton(app, () => item),
    ),
    h(
      "span",
      { class: "row-time" },
      h("span", { "aria-hidden": "true" }, clock(card.duration_s)),
      h("span", { class: "unseen" }, spoken(card.duration_s)),
    ),
  );

  function play() {
    if (app.player.entry()?.card.track_id === card.track_id) app.player.toggle();
    else {
      const list = entries();
      const index = list.findIndex((entry) => entry.card.track_id === card.track_id);
      app.player.playFrom(index < 0 ? [{ ...item }, ...list] : list, Math.max(0, index));
    }
  }

  function tell(next) {
    Object.assign(item, next);
    writeReason(reason, item.why);
    dot.hidden = !item.isNew;
    setText(unseen, item.isNew ? " (new)" : "");
  }

  tell(item);
  row.segueItem = item;
  row.segueTell = tell;
  onRefresh(row, () => {
    const current = app.player.entry()?.card.track_id === card.track_id;
    setAttribute(row, "data-playing", current ? (app.player.playing() ? "yes" : "paused") : null);
    setAttribute(title, "aria-current", current ? "true" : null);
    setAttribute(row, "data-opinion", app.opinions.of(card.track_id));
    for (const button of row.querySelectorAll("[data-opinion-button]")) refreshers.get(button)?.();
  });
  return row;
}

/** Titles of the tracks that a reason rests on stand out in it. */
export function writeReason(element, why) {
  let rest = why?.text ?? "";
  const parts = [];
  for (const { title } of why?.because_of ?? []) {
    const at = title ? placeOf(title, rest) : -1;
    if (at < 0) continue;
    parts.push(rest.slice(0, at), h("em", {}, title));
    rest = rest.slice(at + title.length);
  }
  element.replaceChildren(...parts, rest);
}

/** Where a title stands in a reason: in quotes or at its end, as a title may be a word of the reason as well. */
function placeOf(title, text) {
  const quoted = text.indexOf(`“${title}”`);
  if (quoted >= 0) return quoted + 1;
  return text.endsWith(title) ? text.length - title.length : text.indexOf(title);
}

export function composedMark(card, look = "mark") {
  return card.composed ? h("span", { class: look }, "composed", h("span", {}, " by Segue")) : null;
}

/** The pair of like and not-for-me; `cardOf` says for which track, `detail` where it was heard. */
export function opinionButtons(app, cardOf, detail, testid = "") {
  return [
    opinionButton(app, cardOf, detail, "like", "heart", "Like", testid),
    opinionButton(app, cardOf, detail, "dislike", "less", "Not for me", testid),
  ];
}

function opinionButton(app, cardOf, detail, opinion, picture, words, testid) {
  const button = h(
    "button",
    {
      class: `icon-button ${opinion}`,
      type: "button",
      title: words,
      onclick: act,
      "data-testid": testid + opinion,
      "data-opinion-button": true,
    },
    icon(picture),
  );
  function act() {
    const card = cardOf();
    if (card) app.opinions.toggle(card, opinion, detail());
  }
  onRefresh(button, () => {
    const card = cardOf();
    setAttribute(button, "aria-pressed", String(Boolean(card) && app.opinions.of(card.track_id) === opinion));
    setAttribute(button, "aria-label", card ? `${words}: ${card.title}` : words);
    button.disabled = !card;
  });
  return button;
}

export function refreshButton(button) {
  refreshers.get(button)?.();
}

export function moreButton(app, itemOf) {
  const button = h(
    "button",
    {
      class: "icon-button more",
      type: "button",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      title: "More",
      onclick: (event) => app.trackMenu(event.currentTarget, itemOf()),
    },
    icon("more"),
  );
  onRefresh(button, () => {
    const card = itemOf().card;
    setAttribute(button, "aria-label", card ? `More: ${card.title}` : "More");
  });
  return button;
}
