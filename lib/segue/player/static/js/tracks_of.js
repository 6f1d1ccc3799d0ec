// The tracks of one artist, or of one cluster: who or what it is, and a list that goes on when asked.

import { h, setAttribute, setText } from "./dom.js";
import { albumAndGenre, count } from "./format.js";
import { icon } from "./icons.js";
import { trackList } from "./list.js";
import { pageLink } from "./page_link.js";
import { soundPrint } from "./print.js";

const SKELETON_ROWS = 8;

export function artistPage(app) {
  return tracksOf(app, {
    kind: "artist",
    unnamed: "Artist",
    none: "There is no track of this artist here.",
    fields: (about) => (about ? { name: about } : null),
    told: (answer, about) => ({ title: about, words: count(answer.total, "track"), print: null }),
  });
}

export function clusterPage(app) {
  return tracksOf(app, {
    kind: "cluster",
    unnamed: "Mood",
    none: "There is no such mood here.",
    fields: (about) => (/^\d{1,4}$/.test(about) ? { number: Number(about) } : null),
    told: (answer) => ({
      title: answer.words ? capital(answer.words) : "Mood",
      words: answer.words
        ? [count(answer.total, "track"), mostly(answer), answer.total > 1 && "typical first"]
            .filter(Boolean)
            .join(" · ")
        : "",
      print: answer.print,
    }),
    pictured: true,
    above: () => pageLink(app, { name: "clusters" }, { class: "above-link" }, "All moods"),
  });
}

export function capital(words) {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** Which genre more than half of a cluster have, of those whose genre is known; on one line. */
export function mostly({ genre, share }) {
  const text = genre && share > 0.5 ? `mostly ${genre} (${Math.round(100 * share)} %)` : "";
  return text.replaceAll(" ", "\u00a0").replaceAll("-", "\u2011");
}

function tracksOf(app, { kind, unnamed, none, fields, told, above = null, pictured = false }) {
  const print = h("div", { class: "group-print", hidden: !pictured });
  const title = h("h1", { class: "page-title" });
  const words = h("p", { class: "live-line", role: "status" });
  const play = h(
    "button",
    {
      class: "button main-button",
      type: "button",
      disabled: true,
      onclick: () => app.player.playFrom(list.items(), 0),
    },
    icon("play"),
    "Play",
  );
  const list = trackList(app, { label: "Tracks", testid: `${kind}-tracks` });
  const more = h(
    "button",
    { class: "button quiet-button", type: "button", hidden: true, onclick: () => ask() },
    "Show more",
  );
  const element = h(
    "div",
    { class: `view view-${kind}` },
    above?.(),
    h("div", { class: "group-head" }, print, h("div", {}, title, words), play),
    list.element,
    more,
  );
  let about = null;
  let shownTitle = unnamed;
  let items = [];
  let asking = false;

  function begin(next) {
    about = next;
    items = [];
    asking = false;
    shownTitle = unnamed;
    setText(title, "\u00a0");
    setText(words, "");
    print.replaceChildren();
    play.disabled = more.hidden = true;
    list.loading(SKELETON_ROWS);
    ask();
  }

  async function ask() {
    const asked = about;
    const question = fields(asked);
    if (!question) {
      setText(title, unnamed);
      list.empty(none, { label: "Find music", act: () => app.go("find") });
      return;
    }
    if (!app.state.welcome || asking) return;
    asking = true;
    try {
      const answer = await app.ask(kind, { ...question, offset: items.length });
      if (asked === about) show(answer);
    } catch (error) {
      if (asked === about) fail(error.message);
    }
    if (asked === about) asking = false;
  }

  function fail(sentence) {
    if (items.length) {
      app.say(sentence);
      return;
    }
    setText(title, unnamed);
    list.failed(sentence, { label: "Try again", act: () => begin(about) });
  }

  function show(answer) {
    app.learn(answer.tracks);
    const known = new Set(items.map(({ card }) => card.track_id));
    const fresh = answer.tracks.filter(({ track_id: id }) => !known.has(id));
    items = [...items, ...fresh.map((card) => itemOf(card))];
    const { title: name, words: tally, print: numbers } = told(answer, about);
    shownTitle = name;
    setText(title, name);
    setText(words, tally);
    setAttribute(play, "aria-label", `Play: ${name}`);
    if (numbers) print.replaceChildren(soundPrint(numbers));
    play.disabled = items.length === 0;
    const asksForMore = document.activeElement === more;
    more.hidden = !fresh.length || items.length >= answer.total;
    if (items.length) list.show(items);
    else list.empty(none, { label: "Find music", act: () => app.go("find") });
    if (asksForMore && more.hidden) list.focus(items.length - fresh.length);
    app.nameWindow();
  }

  function itemOf(card) {
    const text = albumAndGenre(card);
    return { card, source: { list: kind }, why: { text } };
  }

  app.state.on("welcome", () => !element.hidden && about !== null && !items.length && ask());
  return {
    element,
    get title() {
      return shownTitle;
    },
    shown({ about: next }) {
      if (next !== about || !items.length) begin(next);
    },
    close: list.close,
  };
}
