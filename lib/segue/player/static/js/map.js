// Map: the whole collection by its sound. What lies near sounds alike; a way leads from one track to another.

import { h, setText } from "./dom.js";
import { count } from "./format.js";
import { mapControls } from "./map_controls.js";
import { createMapGestures } from "./map_gestures.js";
import { createMapLoad } from "./map_load.js";
import { createMapNames } from "./map_names.js";
import { createMapPaths } from "./map_paths.js";
import { createMapPreview } from "./map_preview.js";
import { createMapScene, mapName, MAP_WORDS_UNTIL } from "./map_scene.js";
import { mapSide } from "./map_side.js";
import { createMapView } from "./map_view.js";

const RESTED_MS = 250;
const READY_MS = 200;
const TRAIL = 8;
const NEAR_SHOWN = 10;
const CLOSE_UP = 8;
const EDGE_PX = 8;

export function mapPage(app) {
  const load = createMapLoad(app);
  const { points } = load;
  const view = createMapView();
  const names = createMapNames(app, {
    changed: moved,
    failed: (words) => side.nearFailed(words, rest),
  });
  const preview = createMapPreview(app);
  const paths = createMapPaths(app, { changed: showPath, said: (words) => setText(status, words) });
  const scene = createMapScene(app, load, view, names);
  const { element: surface, shown, pick } = scene;
  const gestures = createMapGestures(surface, view, {
    pick,
    ready: (point) => Boolean(point) && (point.id === shown.chosen?.id || isReady(point)),
    hover,
    leave: () => hover(null),
    tap: play,
    pull,
    drop,
    let: letGo,
    step,
    play: () => shown.chosen && play(shown.chosen),
    mark,
    whole,
    moved,
  });
  const { closer, farther } = gestures;
  const controls = mapControls(
    { colourBy, enable: preview.enable, closer, farther, whole },
    preview.enabled(),
  );
  const { play: playPath, queue: queuePath } = paths;
  const side = mapSide(app, { mark, playPath, queuePath, forgetPath, show });
  const status = h("p", { class: "live-line", role: "status", "data-testid": "map-status" });
  const stage = h("div", { class: "map-stage" }, surface);
  const content = h(
    "div",
    {},
    controls.bar,
    h("div", { class: "map-frame" }, stage, side.element),
    controls.hint,
  );
  const instead = h("div", { class: "state", hidden: true });
  const element = h(
    "div",
    { class: "view view-map", "data-testid": "map-page" },
    h("h1", { class: "page-title" }, "Map"),
    status,
    content,
    instead,
  );
  let hoveredSince = 0;
  let wanted = "";
  let resting = 0;

  const size = new ResizeObserver(() => {
    if (surface.clientWidth) {
      scene.resize();
      moved();
    } else hover(null);
  });
  size.observe(surface);

  function moved() {
    scene.request();
    rest();
  }

  /** What costs more than a frame waits until the map does not move. */
  function rest() {
    clearTimeout(resting);
    resting = setTimeout(rested, RESTED_MS);
  }

  function rested() {
    if (!load.map() || element.hidden) return;
    load.look(view.box());
    const at = isSeen(shown.chosen) ? shown.chosen : view;
    const found = points.around(at.x, at.y, NEAR_SHOWN + 1);
    const ids = found.map(({ id }) => id).filter((id) => id !== shown.chosen?.id && !names.lacks(id));
    names.want(ids);
    const cards = ids.map((id) => app.cards.get(id)).filter(Boolean);
    if (cards.length || !ids.length) side.near(cards.slice(0, NEAR_SHOWN));
    else if (app.offline()) side.nearFailed("The names are away just now; the map itself stays.", rest);
    else side.near(null);
  }

  function isReady(point) {
    return point.id === shown.hovered?.id && performance.now() - hoveredSince > READY_MS;
  }

  function hover(left, top) {
    const point = left === null ? null : pick(left, top);
    surface.toggleAttribute("data-on-track", point !== null);
    if (point?.id === shown.hovered?.id) return;
    shown.hovered = point;
    hoveredSince = performance.now();
    if (point) names.want([point.id]);
    preview.rest(point?.id ?? null);
    scene.request();
  }

  /** `say` tells it to who cannot see it. */
  async function choose(point, { say = true } = {}) {
    shown.chosen = point;
    moved();
    try {
      const card = await names.card(point.id);
      if (shown.chosen !== point) return;
      side.choose(card, paths.words(point));
      const group = shown.groups[shown.kind === "genres" ? point.genre : point.cluster];
      if (say) setText(status, [mapName(card), group?.name].filter(Boolean).join(" · "));
    } catch (error) {
      app.say(error.message);
    }
  }

  async function play(point) {
    preview.stop();
    choose(point);
    if (app.player.entry()?.card.track_id === point.id) {
      app.player.toggle();
      return;
    }
    try {
      const card = await names.card(point.id);
      app.player.playFrom([{ card, source: { list: "map" } }], 0);
    } catch (error) {
      app.say(error.message);
    }
  }

  function step(right, down) {
    if (!load.map()) return;
    const { chosen } = shown;
    const next = chosen ? points.toward(chosen, right, down) : points.around(view.x, view.y, 1)[0];
    if (!next) return;
    if (!isSeen(next)) view.goTo(next.x, next.y);
    choose(next);
  }

  function isSeen(point) {
    const { left, top, right, bottom } = view.box(-EDGE_PX);
    return point && point.x >= left && point.x <= right && point.y >= top && point.y <= bottom;
  }

  function whole() {
    view.all();
    moved();
  }

  function show(group) {
    view.goTo(...group.at, MAP_WORDS_UNTIL - 1);
    moved();
  }

  // A path ----------------------------------------------------------------------------------------

  function pull(point, left, top) {
    shown.drag = { ...point, to: [left, top] };
    const over = pick(left, top);
    shown.hovered = over && over.id !== point.id ? over : null;
    if (shown.hovered) names.want([over.id]);
    scene.request();
  }

  function drop(point, left, top) {
    shown.drag = null;
    const last = pick(left, top);
    if (last && last.id !== point.id) paths.make(point, last);
    scene.request();
  }

  function letGo() {
    shown.drag = null;
    preview.stop();
    paths.leave();
    followMark();
  }

  function mark() {
    if (!shown.chosen) return;
    paths.mark(shown.chosen);
    followMark();
  }

  function followMark() {
    shown.start = paths.start();
    if (shown.chosen) choose(shown.chosen, { say: false });
    scene.request();
  }

  function showPath(path) {
    shown.path = path?.places ?? [];
    side.path(path);
    scene.request();
  }

  function forgetPath() {
    paths.forget();
    surface.focus({ preventScroll: true });
  }

  // Colours, and the last plays -------------------------------------------------------------------

  function colourBy(kind) {
    const map = load.map();
    if (!map) return;
    controls.show(kind, map.clusters.length > 0 && map.genres.length > 0);
    side.groups(map[kind]);
    scene.colour(kind, map[kind]);
  }

  async function followPlays() {
    if (!load.map()) return;
    const heard = app.heard().slice(0, TRAIL);
    try {
      shown.trail = await load.find(heard.map(({ track_id }) => track_id));
      scene.request();
    } catch {
      // Where the last plays were is told with the next one.
    }
  }

  // States ----------------------------------------------------------------------------------------

  function begin() {
    if (load.map()) return;
    content.hidden = false;
    instead.hidden = true;
    surface.setAttribute("aria-busy", "true");
    load.load();
  }

  function open(map) {
    surface.removeAttribute("aria-busy");
    if (!map) {
      say("There is no map of this collection yet.", "Find music", () => app.go("find"));
      return;
    }
    const meaning = map.tracks > 1 ? "; what lies near each other sounds alike" : "";
    setText(status, count(map.tracks, "track") + meaning);
    view.open(map);
    colourBy(map.clusters.length ? "clusters" : "genres");
    followPlays();
    moved();
    if (wanted) goTo(wanted);
  }

  function say(words, label, act, role = null) {
    content.hidden = true;
    instead.hidden = false;
    instead.replaceChildren(
      h("p", { role }, words),
      h("button", { class: "button", type: "button", onclick: act }, label),
    );
  }

  /** Show a track that an address names. */
  async function goTo(about) {
    const id = Number(about);
    if (!Number.isSafeInteger(id) || id < 0) return;
    wanted = "";
    try {
      const [place] = await load.find([id]);
      if (place) {
        view.goTo(...place, CLOSE_UP);
        choose(points.of(id) ?? { id, x: place[0], y: place[1] });
      } else setText(status, "This track is not on the map.");
    } catch (error) {
      setText(status, error.message);
    }
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  load.on("open", open);
  load.on("failed", (words) => say(words, "Try again", begin, "alert"));
  load.on("tile", rest);
  load.on("points", scene.renew);
  app.player.on("begun", followPlays);
  app.player.on("track", scene.request);
  dark.addEventListener("change", scene.renew);
  document.addEventListener("visibilitychange", preview.stop);
  return {
    element,
    title: "Map",
    shown({ focus, about }) {
      wanted = about;
      begin();
      if (load.map()) moved();
      if (load.map() && wanted) goTo(wanted);
      if (focus) surface.focus({ preventScroll: true });
    },
    close() {
      clearTimeout(resting);
      size.disconnect();
      dark.removeEventListener("change", scene.renew);
      document.removeEventListener("visibilitychange", preview.stop);
      for (const part of [scene, side, names, preview]) part.close();
    },
  };
}
