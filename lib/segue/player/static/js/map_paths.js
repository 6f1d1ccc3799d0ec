// A path on the map: from one track to another over tracks that are near each other, to be played so.

import { count } from "./format.js";

/** `changed(path)` is told of a path, {items, words, places}, or null; `said(words)` of what goes on. */
export function createMapPaths(app, { changed, said }) {
  let start = null;
  let path = null;
  let asking = false;

  async function make(first, last) {
    if (asking) return;
    asking = true;
    said("Looking for a path…");
    try {
      const told = await app.ask("map_path", { first: first.id, last: last.id });
      app.learn(told.tracks);
      path = read(told);
      changed(path);
      said(path.words);
    } catch (error) {
      said(error.message);
    }
    asking = false;
  }

  function read({ tracks, places, leaps, model }) {
    const source = { list: "path", model };
    const items = tracks.map((card) => ({ card, source, why: { text: card.genre } }));
    const how = leaps.length
      ? "One step is wider: no near tracks lead across."
      : "Each is near the next by its sound.";
    return {
      items,
      places: places.map(([, x, y]) => [x, y]),
      words: `${count(items.length, "track")} from ${tracks[0].title} to ${tracks.at(-1).title}. ${how}`,
    };
  }

  return {
    make,
    start: () => start,
    /** What a button there says. */
    words(point) {
      if (!start) return "Path from here";
      return start.id === point.id ? "" : "Path to here";
    },
    /** Begin a path at a point, or end it there. */
    mark(point) {
      if (!start) {
        start = point;
        said("The path begins here. Choose another track, then end it there.");
        return;
      }
      if (start.id !== point.id) make(start, point);
      start = null;
    },
    leave() {
      start = null;
    },
    play: () => app.player.playFrom(path.items, 0),
    queue() {
      for (const item of path.items) app.queue.ask({ ...item });
      app.say(`${count(path.items.length, "track")} queued`);
    },
    forget() {
      path = null;
      changed(null);
    },
  };
}
