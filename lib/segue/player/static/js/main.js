// The page: rail, page, up next and bar around the parts; one call a view.

import { accountButton } from "./account.js";
import { activityPage } from "./activity.js";
import { readAddress, writeAddress } from "./address.js";
import { createApp } from "./app.js";
import { playerBar } from "./bar.js";
import { clustersPage } from "./clusters.js";
import { h, setAttribute } from "./dom.js";
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
import { listenToPointer } from "./pointer.js";
import { printHue } from "./print.js";
import { radioPage } from "./radio.js";
import { createRadio } from "./radio_station.js";
import { rail } from "./rail.js";
import { refreshRows } from "./row.js";
import { crossFadeSheet, keySheet, notes, notesSheet } from "./sheets.js";
import { trackPage } from "./track.js";
import { trackMenu } from "./track_menu.js";
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
    trackMenu: trackMenu(app),
    addToPlaylist: playlistPicker(app).choose,
    showUpNext,
    cover,
    uncover,
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
  let leaving = false;

  /** Show a page; `about` is what it is about, such as a track's id, and stands in the address. */
  function go(name, { about = "", focus = false, push = true } = {}) {
    const target = name in views ? { name, about: String(about) } : { name: "home", about: "" };
    const address = writeAddress(target);
    // Who goes to where they are wants its top.
    if (shown) scrolls[shown] = push && address === shown ? 0 : page.scrollTop;
    if (push && fullPage && shown && address !== shown) {
      if (window.history.state?.cover) window.history.replaceState(null, "", address);
      else window.history.pushState(null, "", address);
    }
    const wasLarge = bar.isOpen();
    if (wasLarge) bar.open(false);
    if (wasLarge || page.contains(document.activeElement)) page.focus({ preventScroll: true });
    shown = address;
    view = views[target.name];
    for (const each of Object.values(views)) each.element.hidden = each !== view;
    way.show(view.place ?? target.name);
    view.shown({ focus, about: target.about });
    // What is about something opens at its top; the way back finds it where it was left.
    page.scrollTop = push && target.about ? 0 : (scrolls[address] ?? 0);
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
    if (root.hasAttribute("data-up-next") && event.target.matches(":focus-visible")) layUpNext(false);
  }

  function layUpNext(wanted) {
    setAttribute(root, "data-up-next", wanted);
    setAttribute(bar.list, "aria-expanded", String(wanted));
  }

  function showUpNext(wanted = !root.hasAttribute("data-up-next")) {
    layUpNext(wanted);
    (wanted ? next.element : bar.list).focus();
  }

  /** The whole player is a step of its own, which the way back takes back. */
  function cover(full) {
    if (!fullPage || leaving) return;
    if (full) window.history.pushState({ cover: true }, "");
    else if (window.history.state?.cover) {
      leaving = true;
      window.history.back();
    }
  }

  /** Close what lies over the page, the topmost first; false where nothing does. */
  function uncover() {
    if (root.hasAttribute("data-up-next")) showUpNext(false);
    else if (bar.isOpen()) bar.open(false);
    else return false;
    return true;
  }

  if (!fullPage) root.addEventListener("focusin", keepNotebookKeysOff);
  const keyboard = listenToKeys(app, fullPage ? document : root);
  listenToPointer(app);
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
  const back = () => {
    const target = readAddress(window.location.hash);
    const isShown = writeAddress(target) === shown;
    if (leaving) {
      // Our own step, taken a moment after it was asked for: what was done meanwhile stands.
      leaving = false;
      if (!isShown) window.history.pushState(null, "", shown);
    } else if (bar.isOpen() && isShown) uncover();
    else follow(target);
    if (bar.isOpen()) cover(true);
  };
  if (fullPage && window.history.state?.cover) window.history.replaceState(null, "");
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
