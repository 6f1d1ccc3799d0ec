// The page: rail, page, up next and bar around the parts; one call a view.

import { accountButton } from "./account.js";
import { activityPage } from "./activity.js";
import { readAddress, writeAddress } from "./address.js";
import { createApp } from "./app.js";
import { playerBar } from "./bar.js";
import { clustersPage } from "./clusters.js";
import { h, setAttribute, webAddress } from "./dom.js";
import { findPage } from "./find.js";
import { homePage } from "./home.js";
import { listenToKeys } from "./keys.js";
import { libraryPage } from "./library.js";
import { mapPage } from "./map.js";
import { mediaKeys } from "./media_keys.js";
import { createMenus } from "./menu.js";
import { notices, pendingMark } from "./notices.js";
import { playlistPage } from "./playlist_page.js";
import { playlistPicker } from "./playlist_sheets.js";
import { createPlaylists } from "./playlists.js";
import { printHue } from "./print.js";
import { radioPage } from "./radio.js";
import { createRadio } from "./radio_station.js";
import { rail } from "./rail.js";
import { refreshRows } from "./row.js";
import { starChoices } from "./rating.js";
import { crossFadeSheet, keySheet, notes, notesSheet } from "./sheets.js";
import { trackPage } from "./track.js";
import { artistPage, clusterPage } from "./tracks_of.js";
import { upNext } from "./up_next.js";

const TITLE = "Segue";

function render({ model, el }) {
  const fullPage = Boolean(model.get("full_page"));
  const root = h("div", { class: "segue", "data-full-page": fullPage, tabindex: -1 });
  const app = createApp(model, { fullPage, base: baseAddress() });
  app.root = root;
  app.menus = createMenus(root);
  const words = notices();
  app.say = words.say;
  app.playlists = createPlaylists(app);
  app.radio = createRadio(app);
  const keys = keySheet();
  const story = notesSheet();
  const fade = crossFadeSheet(app);
  Object.assign(app, {
    showKeys: keys.open,
    showNotes: story.open,
    showCrossFade: fade.open,
    hasNotes: () => Boolean(notes()),
    trackMenu,
    addToPlaylist: playlistPicker(app).choose,
    showUpNext,
    go,
    nameWindow,
  });

  const views = {
    home: homePage(app),
    find: findPage(app),
    map: mapPage(app),
    radio: radioPage(app),
    library: libraryPage(app),
    playlist: playlistPage(app),
    activity: activityPage(app),
    track: trackPage(app),
    artist: artistPage(app),
    clusters: clustersPage(app),
    cluster: clusterPage(app),
  };
  const way = rail(app);
  const bar = playerBar(app);
  const next = upNext(app);
  const pending = pendingMark(app);
  const account = accountButton(app);
  const page = h(
    "main",
    { class: "page", tabindex: -1, onfocusin: leaveUpNext },
    h("div", { class: "page-head" }, account),
    Object.values(views).map(({ element }) => element),
  );
  const frame = h("div", { class: "frame" }, way.element, page, next.element, bar.element, pending.element);
  root.append(frame, words.element, keys.element, story.element, fade.element, app.player.element);
  el.append(root);
  const scrolls = {};
  let shown = null;
  let view = null;

  /** Show a page; `about` is what it is about, such as a track's id, and stands in the address. */
  function go(name, { about = "", focus = false, push = true } = {}) {
    const target = name in views ? { name, about: String(about) } : { name: "home", about: "" };
    const address = writeAddress(target);
    if (shown) scrolls[shown] = page.scrollTop;
    if (push && fullPage && shown && address !== shown) window.history.pushState(null, "", address);
    const wasLarge = bar.isOpen();
    if (wasLarge) bar.open(false);
    if (wasLarge || page.contains(document.activeElement)) page.focus({ preventScroll: true });
    shown = address;
    view = views[target.name];
    for (const each of Object.values(views)) each.element.hidden = each !== view;
    way.show(view.place ?? target.name);
    view.shown({ focus, about: target.about });
    page.scrollTop = scrolls[address] ?? 0;
    nameWindow();
  }

  function nameWindow() {
    setAttribute(page, "aria-label", view.title);
    if (!fullPage) return;
    const now = app.player.playing() ? app.player.entry().card : null;
    const parts = now ? [now.title, now.artist, view.title] : [view.title, TITLE];
    document.title = [...new Set(parts)].filter(Boolean).join(" · ");
  }

  /** Where the queue lies over the page, it makes way for the focus. */
  function leaveUpNext(event) {
    if (!root.hasAttribute("data-up-next") || !event.target.matches(":focus-visible")) return;
    setAttribute(root, "data-up-next", false);
    setAttribute(bar.list, "aria-expanded", "false");
  }

  function leave(event) {
    if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("dialog")) return;
    if (root.hasAttribute("data-up-next")) showUpNext(false);
    else if (bar.isOpen()) bar.open(false);
  }

  function showUpNext(wanted = !root.hasAttribute("data-up-next")) {
    setAttribute(root, "data-up-next", wanted);
    setAttribute(bar.list, "aria-expanded", String(wanted));
    (wanted ? next.element : bar.list).focus();
  }

  /** Where in a track it is heard, 0 where it is not. */
  function positionIn({ card }) {
    return app.player.entry()?.card.track_id === card.track_id ? app.player.position() : 0;
  }

  function trackMenu(button, item, more = []) {
    const address = webAddress(item.card.attribution_url);
    const disliked = app.opinions.of(item.card.track_id) === "dislike";
    app.menus.open(
      button,
      [
        { label: "Play next", picture: "next", act: () => app.enqueue(item, { first: true }) },
        { label: "Add to queue", picture: "queue", act: () => app.enqueue(item) },
        {
          label: "Show on the map",
          picture: "map",
          act: () => app.go("map", { about: item.card.track_id }),
        },
        { label: "Add to playlist …", picture: "playlist", act: () => app.addToPlaylist([item.card]) },
        { label: "Radio from this", picture: "radio", act: () => app.radio.from(item.card) },
        ...(item.choices?.() ?? []),
        {
          label: "About this track",
          picture: "about",
          act: () => go("track", { about: item.card.track_id }),
        },
        starChoices(app, item.card, () => ({ source: item.source, position: positionIn(item) })),
        {
          label: disliked ? "Not for me: take back" : "Not for me",
          picture: "less",
          act: () => app.opinions.toggle(item.card, "dislike", { source: item.source }),
        },
        address && {
          label: item.card.licence || "Where it is from",
          picture: "outside",
          act: () => window.open(address, "_blank", "noopener,noreferrer"),
        },
        ...more,
      ],
      item.card.title,
    );
  }

  if (!fullPage) root.addEventListener("focusin", keepNotebookKeysOff);
  root.addEventListener("keydown", leave);
  const keyboard = listenToKeys(app, fullPage ? document : root);
  const media = mediaKeys(app);
  const refresh = () => refreshRows(root, null);
  app.player.on("track", ({ card }) => {
    root.style.setProperty("--hue", printHue(card.print));
    refresh();
    nameWindow();
  });
  app.player.on("state", () => {
    refresh();
    nameWindow();
  });
  app.opinions.on("change", (trackId) => refreshRows(root, trackId));
  app.state.on("link", (state) => {
    if (state === "out") words.say("You are logged out.", { label: "Log in", act: app.logIn });
    else if (state === "full") words.say(app.link.words(), { label: "Try again", act: app.link.again });
    else if (state === "here") words.hide();
  });
  const follow = ({ name, about }) => go(name, { about, push: false });
  const back = () => follow(readAddress(window.location.hash));
  if (fullPage) window.addEventListener("popstate", back);
  const theme = followNotebookTheme(root, fullPage);
  follow(readAddress(fullPage ? window.location.hash : ""));

  return () => {
    for (const part of [keyboard, media, theme, pending, words, app, ...Object.values(views)]) part.close();
    window.removeEventListener("popstate", back);
    root.remove();
  };
}

/** JupyterLab's keys (d d deletes a cell) look for this mark on the very element that has the focus. */
function keepNotebookKeysOff(event) {
  event.target.setAttribute("data-lm-suppress-shortcuts", "true");
}

/** JupyterLab has a theme of its own, which the player in a cell follows; a page of its own follows the system. */
function followNotebookTheme(root, fullPage) {
  if (fullPage) return { close() {} };
  const read = () => {
    const light = document.body.dataset.jpThemeLight;
    setAttribute(root, "data-theme", light === undefined ? null : light === "true" ? "light" : "dark");
  };
  const watch = new MutationObserver(read);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  read();
  return { close: () => watch.disconnect() };
}

/** The server's own addresses begin where its one page stands. */
function baseAddress() {
  return window.location.pathname.replace(/[^/]*$/, "");
}

export default { render };
