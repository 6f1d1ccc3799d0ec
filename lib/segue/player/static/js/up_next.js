// Beside the page: why this plays, and what comes next, which can be put in another order.

import { draggable } from "./drag.js";
import { h, keepingFocus, setText } from "./dom.js";
import { tracksAndTime } from "./format.js";
import { icon } from "./icons.js";
import { soundPrint } from "./print.js";
import { writeReason } from "./row.js";

const SHOWN = 20;
const KEPT_AT_ONCE = 500;

export function upNext(app) {
  const { player, queue } = app;
  const why = h("p", { class: "why" });
  const list = h("ol", { class: "queue" });
  const tally = h("p", { class: "queue-tally" });
  const note = h("p", { class: "quiet" });
  const keep = h(
    "button",
    {
      class: "button quiet-button",
      type: "button",
      "data-testid": "keep-queue",
      hidden: true,
      onclick: keepAll,
    },
    "Add all to a playlist …",
  );
  const shut = h(
    "button",
    {
      class: "icon-button up-next-shut",
      type: "button",
      "aria-label": "Close",
      onclick: () => app.showUpNext(false),
    },
    icon("close"),
  );
  const now = h("section", { "aria-label": "Why this", hidden: true }, h("h2", {}, "Why this"), why);
  const element = h(
    "aside",
    { class: "up-next", "aria-label": "Up next", "data-testid": "up-next", tabindex: -1 },
    shut,
    now,
    h("section", { "aria-label": "Queue" }, h("h2", {}, "Up next"), tally, list, note, keep),
  );
  const rows = new Map();
  const dragging = draggable(list, { grip: ".queued-grip", dropped, ended: show });

  /** While a row is dragged the others wait; a menu that is open keeps its row, and a row its focus. */
  function show() {
    if (dragging.busy()) return;
    const entry = player.entry();
    now.hidden = !entry?.why?.text || !["for-you", "radio"].includes(entry.source.list);
    if (!now.hidden) writeReason(why, entry.why);
    const upcoming = queue.upcoming();
    const wanted = keyed(upcoming.slice(0, SHOWN));
    for (const key of rows.keys()) if (!wanted.has(key)) rows.delete(key);
    for (const [key, each] of wanted) if (!rows.has(key)) rows.set(key, queued(each, key));
    keepingFocus(list, () => list.replaceChildren(...[...wanted.keys()].map((key) => rows.get(key))));
    setText(tally, upcoming.length ? tracksAndTime(upcoming.map(({ card }) => card)) : "");
    setText(note, words(entry, upcoming.length));
    keep.hidden = upcoming.length === 0;
  }

  function keepAll() {
    const all = [player.entry(), ...queue.upcoming()].filter(Boolean).map(({ card }) => card);
    app.addToPlaylist(all.slice(0, KEPT_AT_ONCE));
  }

  /** A name for each entry that it keeps when others come and go: its track, and the how manieth of it. */
  function keyed(entries) {
    const times = new Map();
    return new Map(
      entries.map((each) => {
        const id = each.card.track_id;
        times.set(id, (times.get(id) ?? 0) + 1);
        return [`${id}/${times.get(id)}`, each];
      }),
    );
  }

  function placeOf(key) {
    return [...keyed(queue.upcoming()).keys()].indexOf(key);
  }

  function words(entry, number) {
    if (!entry) return "What comes next stands here once something plays.";
    if (number > SHOWN) return `and ${number - SHOWN} more`;
    return number ? "" : "Nothing more is queued.";
  }

  /** By name and not by number: the queue may have changed under the hand. */
  function dropped(row, before) {
    const { key } = row.dataset;
    const from = placeOf(key);
    const at = before ? placeOf(before.dataset.key) : Math.min(SHOWN, queue.upcoming().length);
    if (from >= 0 && at >= 0) put(key, from, from < at ? at - 1 : at);
  }

  function put(key, from, to) {
    const { title } = queue.upcoming()[from].card;
    queue.move(from, to);
    app.say(to === 0 ? `${title} plays next` : `${title} is number ${to + 1} of what comes next`);
    rows.get(key)?.querySelector(".more").focus({ preventScroll: true });
  }

  function choose(button, key) {
    const from = placeOf(key);
    const last = queue.upcoming().length - 1;
    if (from < 0) return;
    app.menus.open(
      button,
      [
        from > 0 && { label: "Move up", picture: "up", act: () => put(key, from, from - 1) },
        from < last && { label: "Move down", picture: "down", act: () => put(key, from, from + 1) },
        from > 1 && { label: "Play next", picture: "next", act: () => put(key, from, 0) },
        { label: "Take out", picture: "close", act: () => takeOut(key) },
      ],
      button.getAttribute("aria-label"),
    );
  }

  function takeOut(key) {
    const at = placeOf(key);
    if (at < 0) return;
    const after = rows.get(key).nextElementSibling ?? rows.get(key).previousElementSibling;
    queue.remove(at);
    (after?.querySelector(".more") ?? element).focus({ preventScroll: true });
  }

  function queued({ card }, key) {
    const title = h("button", { class: "queued-title", type: "button", onclick: jump }, card.title);
    const artist = h("span", { class: "queued-artist" }, card.artist);
    const more = h(
      "button",
      {
        class: "icon-button more",
        type: "button",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        "aria-label": `Change the order: ${card.title}`,
        onclick: () => choose(more, key),
      },
      icon("more"),
    );
    const remove = h(
      "button",
      {
        class: "icon-button remove",
        type: "button",
        "aria-label": `Take out: ${card.title}`,
        onclick: () => takeOut(key),
      },
      icon("close"),
    );

    function jump() {
      const at = placeOf(key);
      if (at >= 0) player.jump(at);
    }
    return h(
      "li",
      { class: "queued", "data-key": key, "data-testid": "queued" },
      h("span", { class: "queued-grip", title: "Drag to change the order" }, soundPrint(card.print)),
      h("div", { class: "queued-words" }, title, artist),
      more,
      remove,
    );
  }

  queue.on("change", show);
  player.on("track", show);
  show();
  return { element };
}
