// What this listener played, by day, the newest first; further back with each page.

import { h } from "./dom.js";
import { count } from "./format.js";
import { trackList } from "./list.js";

const DAY_MS = 86_400_000;

export function historyPart(app) {
  const states = trackList(app, { label: "History", testid: "history-state" });
  const days = h("div", { class: "days" });
  const more = h(
    "button",
    { class: "button quiet-button", type: "button", hidden: true, onclick: () => load(plays.at(-1)) },
    "Show more",
  );
  const element = h("div", { class: "history", "data-testid": "history" }, states.element, days, more);
  let plays = [];
  let lists = [];
  let latest = 0;

  /** The newest plays, or those before one that is there. */
  async function load(last = null) {
    latest += 1;
    const own = latest;
    if (!plays.length) states.loading(6);
    const before = last && { at: last.at, event_id: last.event_id };
    try {
      const told = await app.ask("history", { before });
      if (own !== latest) return;
      app.learn(told.tracks);
      plays = last ? [...plays, ...told.plays] : told.plays;
      show(told.is_more);
    } catch (error) {
      if (own !== latest) return;
      if (plays.length) app.say(error.message);
      else states.failed(error.message, { label: "Try again", act: () => load() });
    }
  }

  function show(isMore) {
    for (const list of lists) list.close();
    lists = [];
    const sections = byDay().map(([day, items]) => {
      const list = trackList(app, { label: day });
      list.show(items);
      lists.push(list);
      return h("section", { class: "day", "aria-label": day }, h("h2", {}, day), list.element);
    });
    days.replaceChildren(...sections);
    states.element.hidden = sections.length > 0;
    if (!sections.length)
      states.empty("Nothing played yet.", { label: "Go to your list", act: () => app.go("home") });
    more.hidden = !isMore;
  }

  /** Each track once a day, where it was played last. */
  function byDay() {
    const found = new Map();
    for (const { track_id, at } of plays) {
      const card = app.cards.get(track_id);
      if (!card) continue;
      const day = dayOf(new Date(at));
      if (!found.has(day)) found.set(day, new Map());
      const tracks = found.get(day);
      const before = tracks.get(track_id);
      if (before) before.times += 1;
      else tracks.set(track_id, { card, at: new Date(at), times: 1 });
    }
    return [...found].map(([day, tracks]) => [day, [...tracks.values()].map(item)]);
  }

  function item({ card, at, times }) {
    const time = at.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
    const text = times > 1 ? `${time} · ${count(times, "time")} this day` : time;
    return { card, source: { list: "history" }, why: { text } };
  }

  return {
    element,
    shown: () => load(),
    close() {
      for (const list of [states, ...lists]) list.close();
    },
  };
}

function dayOf(date) {
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === new Date(today - DAY_MS).toDateString()) return "Yesterday";
  const year = date.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long", year });
}
