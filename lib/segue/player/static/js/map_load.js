// The map's data: all of it at once, or a sample of many tracks and more of them where one looks closely.

import { emitter } from "./emitter.js";
import { createMapPoints, unpackPoints } from "./map_points.js";

const ALL = "all";
const TILES_AT_ONCE = 6;
const TILES_KEPT = 16;

/** Tells `open` (the map, or null where there is none), `points` (more of them) and `failed` (words). */
export function createMapLoad(app) {
  const { on, emit } = emitter();
  const points = createMapPoints();
  const places = new Map();
  const asking = new Set();
  let map = null;
  let loading = false;

  async function load() {
    if (loading || map) return;
    loading = true;
    try {
      const told = await app.ask("map");
      if (told.tracks) {
        points.keep(ALL, unpackPoints(told.points));
        points.show([ALL]);
        map = told;
      }
      emit("open", map);
    } catch (error) {
      emit("failed", error.message);
    }
    loading = false;
  }

  /** The tiles that are seen; none while they are many, for then the sample shows as much as one can see. */
  function seen({ left, top, right, bottom }) {
    const found = [];
    map.tiles.forEach(([x, y, farX, farY], number) => {
      if (x <= right && farX >= left && y <= bottom && farY >= top) found.push(number);
    });
    return found.length <= TILES_AT_ONCE ? found : [];
  }

  function look(box) {
    if (!map?.tiles.length) return;
    const wanted = seen(box).map(String);
    const before = points.shown().length;
    points.show([ALL, ...wanted]);
    if (points.shown().length !== before) emit("points");
    for (const name of wanted) if (!points.has(name) && !asking.has(name)) ask(name, wanted);
  }

  async function ask(name, wanted) {
    asking.add(name);
    try {
      const told = await app.ask("map_tile", { tile: Number(name), version: map.version });
      if (told.points) points.keep(name, unpackPoints(told.points));
      const extra = points.names().filter((each) => each !== ALL && !wanted.includes(each));
      for (const each of extra.slice(0, Math.max(0, points.names().length - TILES_KEPT))) points.drop(each);
      emit("tile");
    } catch {
      // The sample stays; looking here again asks again.
    }
    asking.delete(name);
  }

  /** Where these tracks are, as [x, y] each, without those that are not on the map. */
  async function find(trackIds) {
    const unknown = trackIds.filter((id) => place(id) === undefined);
    if (unknown.length) {
      const told = await app.ask("map_places", { tracks: unknown });
      for (const id of unknown) places.set(id, null);
      for (const [id, x, y] of told.places) places.set(id, [x, y]);
    }
    return trackIds.map(place).filter(Boolean);
  }

  /** Unknown for a track that was not asked for and is not in what came. */
  function place(trackId) {
    const found = points.of(trackId);
    return found ? [found.x, found.y] : places.get(trackId);
  }

  return { on, points, load, look, find, map: () => map };
}
