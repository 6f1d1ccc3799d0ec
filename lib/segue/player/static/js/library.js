// Library: what this listener likes, made, rated and heard; each has its own address.

import { h, keepingFocus, setAttribute } from "./dom.js";
import { albumAndGenre, count } from "./format.js";
import { historyPart } from "./history.js";
import { icon } from "./icons.js";
import { skeleton, stated, trackList } from "./list.js";
import { listTools } from "./list_tools.js";
import { nameSheet } from "./playlist_sheets.js";
import { soundPrint } from "./print.js";

const STARS_MOST = 5;

export function libraryPage(app) {
  const parts = {
    liked: { words: "Liked", ...likedPart(app) },
    playlists: { words: "Playlists", ...playlistsPart(app) },
    rated: { words: "Rated", ...ratedPart(app) },
    history: { words: "History", ...historyPart(app) },
  };
  const tabs = Object.entries(parts).map(([name, { words }]) =>
    h(
      "a",
      {
        class: "tab",
        href: `#library/${name}`,
        "data-testid": `tab-${name}`,
        onclick: (event) => turn(event, name),
      },
      words,
    ),
  );
  const sections = Object.entries(parts).map(([name, part]) =>
    h("section", { "aria-label": part.words, "data-part": name, hidden: true }, part.element),
  );
  const element = h(
    "div",
    { class: "view view-library" },
    h("h1", { class: "page-title" }, "Library"),
    h("nav", { class: "tabs", "aria-label": "Library" }, tabs),
    sections,
  );
  let shownPart = "liked";

  function turn(event, name) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    app.go("library", { about: name });
    event.currentTarget.focus();
  }

  function show(about) {
    shownPart = about in parts ? about : "liked";
    for (const section of sections) section.hidden = section.dataset.part !== shownPart;
    for (const tab of tabs)
      setAttribute(tab, "aria-current", tab.hash === `#library/${shownPart}` ? "page" : null);
    parts[shownPart].shown();
  }

  app.state.on("link", (state) => state === "here" && !element.hidden && parts[shownPart].shown());
  return {
    element,
    get title() {
      return `${parts[shownPart].words} · Library`;
    },
    shown: ({ about = "" }) => show(about),
    close() {
      for (const part of Object.values(parts)) part.close();
    },
  };
}

function itemOf(card, list, text = albumAndGenre(card)) {
  return { card, source: { list }, why: { text } };
}

function likedPart(app) {
  const list = trackList(app, { label: "Liked", testid: "likes" });
  const others = h("p", { class: "quiet", hidden: true });
  const tools = listTools({
    orderNames: { given: "Last liked first", title: "Title", artist: "Artist", longest: "Longest first" },
    changed: show,
    items: list.items,
    play: (items) => app.player.playFrom(items, 0),
  });
  const element = h("div", {}, tools.element, list.element, others);

  function show() {
    if (!element.isConnected || element.closest("[hidden]")) return;
    const ids = app.opinions.liked();
    const cards = ids.map((id) => app.cards.get(id)).filter(Boolean);
    const unknown = ids.length - cards.length;
    others.hidden = unknown === 0;
    others.textContent = unknown ? `and ${unknown} more, not looked up yet` : "";
    if (unknown) app.lookUp(ids.filter((id) => !app.cards.get(id)));
    const chosen = tools.chosen(cards.map((card) => itemOf(card, "library")));
    tools.tell(chosen, cards.length);
    if (chosen.length) list.show(chosen);
    else if (cards.length)
      list.empty("Nothing you like is called that.", { label: "Show all of it", act: tools.clear });
    else if (!app.state.welcome || unknown) list.loading(Math.min(6, unknown || 3));
    else
      list.empty("Press ♥ on what you like, and it stays here.", {
        label: "Find music",
        act: () => app.go("find"),
      });
  }

  app.opinions.on("change", show);
  app.state.on("welcome", show);
  app.state.on("cards", show);
  return { element, shown: show, close: list.close };
}

function ratedPart(app) {
  const list = trackList(app, { label: "Rated", testid: "ratings" });
  let given = null;

  async function load() {
    if (!given) list.loading(3);
    try {
      const told = await app.ask("ratings");
      app.learn(told.tracks);
      given = told.ratings;
      app.opinions.learnStars(given);
      show();
    } catch (error) {
      if (!given) list.failed(error.message, { label: "Try again", act: load });
    }
  }

  /** What the kernel knew, and what was said on this page since. */
  function show() {
    if (!given || list.element.closest("[hidden]")) return;
    const ids = new Set([...given.map(({ track_id }) => track_id), ...app.cards.keys()]);
    const rated = [...ids]
      .map((id) => ({ card: app.cards.get(id), stars: app.opinions.stars(id) }))
      .filter(({ card, stars }) => card && stars);
    rated.sort((one, other) => other.stars - one.stars);
    if (rated.length) list.show(rated.map(({ card, stars }) => itemOf(card, "rated", starsInWords(stars))));
    else
      list.empty("Give a track stars from its menu, and it stands here.", {
        label: "Find music",
        act: () => app.go("find"),
      });
    for (const row of list.element.querySelectorAll(".row"))
      row.segueTell?.({ why: { text: starsInWords(app.opinions.stars(row.segueItem.card.track_id) ?? 0) } });
  }

  app.opinions.on("change", show);
  return { element: list.element, shown: load, close: list.close };
}

function starsInWords(stars) {
  return `${"★".repeat(stars)}${"☆".repeat(STARS_MOST - stars)} ${stars} of ${STARS_MOST}`;
}

function playlistsPart(app) {
  const naming = nameSheet(app, "New playlist");
  const rows = h("ul", { class: "rows playlists", "aria-label": "Playlists" });
  const frame = h("div", { class: "list", "data-testid": "playlists" });
  const make = h(
    "button",
    { class: "button", type: "button", "data-testid": "new-playlist", onclick: begin },
    icon("plus"),
    "New playlist",
  );
  const element = h("div", {}, h("div", { class: "page-actions" }, make), frame);

  async function load() {
    if (!app.playlists.listed()) {
      const shapes = Array.from({ length: 3 }, skeleton);
      frame.replaceChildren(h("ul", { class: "rows", "aria-hidden": "true" }, shapes));
    }
    try {
      show(await app.playlists.list());
    } catch (error) {
      if (app.playlists.listed()) app.say(error.message);
      else frame.replaceChildren(stated("state-failed", error.message, { label: "Try again", act: load }));
    }
  }

  function show(found) {
    if (!found.length) {
      const words = "No playlist yet: make one here, or add a track to one from its menu.";
      frame.replaceChildren(stated("state-empty", words, null));
      return;
    }
    keepingFocus(frame, () => {
      rows.replaceChildren(...found.map(row));
      frame.replaceChildren(rows);
    });
  }

  function row({ playlist_id, name, count: tracks, first }) {
    const card = app.cards.get(first);
    const open = () => app.go("playlist", { about: playlist_id });
    return h(
      "li",
      { class: "row playlist-row", "data-testid": "playlist-row" },
      h("span", { class: "row-print" }, card ? soundPrint(card.print) : icon("playlist")),
      h(
        "div",
        { class: "row-words" },
        h(
          "div",
          { class: "row-name" },
          h("button", { class: "row-title", type: "button", onclick: open }, name),
        ),
        h("span", { class: "row-artist" }, count(tracks, "track")),
      ),
    );
  }

  async function begin() {
    const name = await naming.ask();
    if (!name) return;
    try {
      const { playlist_id } = await app.playlists.make(name, []);
      app.go("playlist", { about: playlist_id });
    } catch (error) {
      app.say(error.message);
    }
  }

  app.playlists.on("list", (found) => frame.closest("[hidden]") || show(found));
  return { element, shown: load, close() {} };
}
