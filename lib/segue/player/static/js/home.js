// Home: the list made for this listener, changing while they listen, and shelves below it.

import { h } from "./dom.js";
import { homeShelves } from "./home_shelves.js";
import { createImpressions } from "./impressions.js";
import { skeleton, trackList } from "./list.js";
import { liveLine } from "./live_line.js";
import { starters } from "./starters.js";

const SHOWN_AT_FIRST = 12;

export function homePage(app) {
  const list = trackList(app, {
    label: "For you",
    testid: "for-you",
    live: true,
    entries: app.forYou.items,
    sighted: (row, isInSight) => impressions.sighted(row, isInSight),
  });
  const impressions = createImpressions(app, list.element);
  const line = liveLine(app);
  const pick = starters(app);
  const below = homeShelves(app);
  const all = h(
    "button",
    { class: "button quiet-button", type: "button", hidden: true, onclick: showAll },
    "Show all",
  );
  const greeting = h("h1", { class: "page-title" }, greet());
  const forYou = h(
    "section",
    { class: "for-you", "aria-label": "For you", hidden: true },
    h("h2", {}, "For you"),
    line.element,
    list.element,
    all,
  );
  const ahead = h(
    "section",
    { class: "for-you", "aria-label": "For you", "aria-busy": "true" },
    h("h2", {}, "For you"),
    h("p", { class: "live-line" }),
    h("ul", { class: "rows list", "aria-hidden": "true" }, Array.from({ length: SHOWN_AT_FIRST }, skeleton)),
  );
  const element = h(
    "div",
    { class: "view view-home" },
    greeting,
    pick.element,
    ahead,
    forYou,
    below.elements,
  );
  let limit = SHOWN_AT_FIRST;

  /** What stands ahead goes as a whole: a first visit has something else in its place. */
  function arrive() {
    ahead.remove();
    forYou.hidden = false;
  }

  function showAll() {
    limit = Infinity;
    showList();
    list.element.querySelector(`.row:nth-child(${SHOWN_AT_FIRST + 1}) .row-title`)?.focus();
  }

  function showList() {
    const items = app.forYou.items();
    all.hidden = items.length <= limit;
    if (items.length) list.show(items.slice(0, limit));
    else if (app.state.link === "out")
      list.failed("You are logged out.", { label: "Log in", act: app.logIn });
    else if (app.state.link === "full")
      list.failed(app.link.words(), { label: "Try again", act: app.link.again });
    else if (app.state.trouble && !app.state.welcome)
      list.failed(app.state.trouble, { label: "Try again", act: app.link.suspect });
    else if (app.forYou.waiting()) list.loading(SHOWN_AT_FIRST);
    else list.empty(nothing(), { label: "Find music", act: () => app.go("find") });
    if (!list.element.hasAttribute("aria-busy")) arrive();
  }

  /** A small collection runs out: what is liked, left or just heard is not recommended. */
  function nothing() {
    return app.opinions.liked().length || app.heard().length
      ? "You have just heard, or said what you think of, all there is here."
      : "Nothing here yet: play or like something, and this list is yours.";
  }

  function showWelcome() {
    const { welcome } = app.state;
    if (!welcome) return;
    arrive();
    greeting.textContent = greet(welcome.listener.local ? "" : welcome.listener.name);
    if (welcome.first_visit || pick.element.hidden === false) pick.show(welcome.starters ?? []);
    showBelow();
  }

  /** What stands below the list comes after it, so that nothing is pushed down. */
  function showBelow() {
    if (app.state.welcome && !app.forYou.waiting()) below.follow();
  }

  app.forYou.on("change", () => {
    showList();
    showBelow();
  });
  app.opinions.on("change", showList);
  app.state.on("link", showList);
  app.state.on("trouble", showList);
  app.state.on("welcome", showWelcome);
  showList();
  showWelcome();
  return {
    element,
    title: "Home",
    shown() {
      below.shown();
      if (app.opinions.liked().length) pick.element.hidden = true;
    },
    close() {
      list.close();
      below.close();
      line.close();
      impressions.close();
    },
  };
}

function greet(name = "") {
  const hour = new Date().getHours();
  const words =
    hour < 5 ? "Good evening" : hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
  return name ? `${words}, ${name}` : words;
}
