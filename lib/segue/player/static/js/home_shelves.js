// Below the list on Home: like what one liked, what is new, popular, moods to begin with, heard lately.

import { bringIntoSight, h } from "./dom.js";
import { count } from "./format.js";
import { pageLink } from "./page_link.js";
import { soundPrint } from "./print.js";
import { shelf, shelfArrows } from "./shelf.js";

const LIKES_SHOWN = 2;
const AFTER_LIKE_MS = 600;
const HEARD_SHOWN = 12;

export function homeShelves(app) {
  const because = Array.from({ length: LIKES_SHOWN }, () =>
    shelf(app, { heading: "Because you liked", testid: "because" }),
  );
  const newest = shelf(app, { heading: "New in the catalogue", testid: "newest" });
  const simulated = h("span", { class: "mark", hidden: true }, "simulated");
  const popular = shelf(app, { heading: "Popular", mark: simulated, testid: "popular" });
  const moods = moodShelf(app);
  const recent = shelf(app, { heading: "Heard lately", testid: "recent" });
  const away = h(
    "section",
    { class: "shelf", "aria-label": "Shelves", hidden: true },
    h("p", { class: "quiet" }, "Some of this page is away just now."),
    h("button", { class: "button", type: "button", onclick: () => ask({ again: true }) }, "Try again"),
  );
  const shelves = [...because, newest, popular, moods, recent];
  const elements = [...shelves.map((each) => each.element), away];
  let asked = null;
  let answer = null;
  let listStands = false;
  let stand = false;
  let timer = 0;

  /** Ask again when what was liked last has changed; what stands stays until the answer is here. */
  async function ask({ again = false } = {}) {
    const liked = app.opinions.liked().slice(0, LIKES_SHOWN);
    const about = liked.join();
    if (!app.state.welcome || (asked === about && !again)) return;
    asked = about;
    try {
      const found = await app.ask("home", { liked });
      if (asked !== about) return;
      answer = found;
      away.hidden = true;
      learnFrom(answer);
    } catch {
      if (asked === about) asked = null;
      away.hidden = false;
    }
    show();
  }

  function learnFrom({ because: liked, newest: came }) {
    app.learn([...liked.flatMap(({ track, tracks }) => [track, ...tracks]), ...came]);
  }

  /** All of it comes at once and after the list; later a shelf comes only where nobody sees others move. */
  function show({ moving = !stand || !inSight() } = {}) {
    if (!listStands || (!answer && away.hidden)) return;
    const { dataset, popular: played } = app.state.welcome;
    because.forEach((each, index) => showBecause(each, answer?.because[index], moving));
    if (!stand) {
      newest.show((answer?.newest ?? []).map((card) => ({ card, source: { list: "newest" } })));
      simulated.hidden = !dataset.simulated;
      popular.show((played ?? []).map((card) => ({ card, source: { list: "popular" } })));
      moods.show(answer?.moods ?? []);
    }
    showRecent(moving);
    stand = answer !== null;
  }

  function showBecause(each, found, moving) {
    const { element } = each;
    if (isHeld(element) || (!moving && element.hidden !== !found)) return;
    if (!found) {
      each.show([]);
      return;
    }
    each.name(["Because you liked ", h("em", {}, found.track.title)]);
    const items = found.tracks.filter(({ track_id: id }) => app.opinions.of(id) === null);
    each.show(items.map((card) => ({ card, source: { list: "because-you-liked", model: found.model } })));
  }

  function showRecent(moving) {
    if (isHeld(recent.element) || (!moving && recent.element.hidden)) return;
    const cards = app.heard().slice(0, HEARD_SHOWN);
    recent.show(cards.map((card) => ({ card, source: { list: "recent" } })));
  }

  function inSight() {
    const page = elements[0].closest(".page").getBoundingClientRect();
    const shown = elements.find((element) => !element.hidden);
    return Boolean(shown) && shown.getBoundingClientRect().top < page.bottom;
  }

  function askSoon() {
    clearTimeout(timer);
    timer = setTimeout(ask, AFTER_LIKE_MS);
  }

  app.opinions.on("change", (trackId) => trackId !== null && askSoon());
  app.state.on("welcome", () => ask({ again: true }));
  return {
    elements,
    /** The list above stands. */
    follow() {
      if (listStands) return;
      listStands = true;
      show();
    },
    shown() {
      show({ moving: true });
      ask();
    },
    close: () => clearTimeout(timer),
  };
}

/** What the pointer or the focus is on stays as it is. */
function isHeld(element) {
  return element.matches(":hover") || element.contains(document.activeElement);
}

/** A tile a cluster: the print of its mean sound, and what that is in words. */
function moodShelf(app) {
  const tiles = h("ul", { class: "tiles", onfocusin: bringIntoSight });
  const arrows = shelfArrows(tiles);
  const element = h(
    "section",
    { class: "shelf", "aria-label": "By mood", "data-testid": "moods", hidden: true },
    h(
      "div",
      { class: "section-head" },
      h("h2", {}, "By mood"),
      pageLink(app, { name: "clusters" }, { class: "section-more" }, "All moods"),
      arrows.element,
    ),
    tiles,
  );
  return {
    element,
    show(moods) {
      element.hidden = moods.length === 0;
      tiles.replaceChildren(...moods.map((mood) => moodTile(app, mood)));
      arrows.refresh();
    },
  };
}

function moodTile(app, { number, words, size, print }) {
  return h(
    "li",
    {},
    pageLink(
      app,
      { name: "cluster", about: number },
      { class: "tile mood" },
      h("span", { class: "tile-print" }, soundPrint(print)),
      h("span", { class: "mood-words" }, words),
      h("span", { class: "tile-artist" }, count(size, "track")),
    ),
  );
}
