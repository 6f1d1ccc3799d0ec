// The map's points, in arrays as they came packed: who is where, who is near.

const HEAD = 128;
const STRAIGHT = 0.5;

/** Points of a message `map` or `map_tile`: {count, ids, xy, genres, clusters}. */
export function unpackPoints({ count, ids, xy, genres, clusters }) {
  const places = new Uint16Array(unpackBytes(xy).buffer);
  const points = {
    count,
    ids: unpackIds(unpackBytes(ids), count),
    xy: places,
    genres: unpackBytes(genres),
    clusters: unpackBytes(clusters),
  };
  if (places.length !== 2 * count || points.genres.length !== count || points.clusters.length !== count)
    throw new Error("the map's points are not complete");
  return points;
}

function unpackBytes(text) {
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

/** Ascending ids, each less the one before it, seven bits a byte (LEB128). */
function unpackIds(bytes, count) {
  const ids = new Float64Array(count);
  let at = 0;
  let id = 0;
  for (let index = 0; index < count; index += 1) {
    let worth = 1;
    while (bytes[at] >= HEAD) {
      id += (bytes[at] - HEAD) * worth;
      worth *= HEAD;
      at += 1;
    }
    id += bytes[at] * worth;
    at += 1;
    ids[index] = id;
  }
  return ids;
}

/** A point is {id, x, y, genre, cluster}; parts are looked through only while they are shown. */
export function createMapPoints() {
  const kept = new Map();
  let shown = [];

  function point(part, index) {
    return {
      id: part.ids[index],
      x: part.xy[2 * index],
      y: part.xy[2 * index + 1],
      genre: part.genres[index],
      cluster: part.clusters[index],
    };
  }

  /** The point for which `cost(x, y)` is the least below `most`, or null. */
  function best(cost, most) {
    let [found, at, least] = [null, 0, most];
    for (const part of shown) {
      for (let index = 0; index < part.count; index += 1) {
        const value = cost(part.xy[2 * index], part.xy[2 * index + 1]);
        if (value < least) [found, at, least] = [part, index, value];
      }
    }
    return found && point(found, at);
  }

  return {
    has: (name) => kept.has(name),
    names: () => [...kept.keys()],
    keep: (name, part) => kept.set(name, part),
    drop: (name) => kept.delete(name),
    show(names) {
      shown = names.map((name) => kept.get(name)).filter(Boolean);
    },
    shown: () => shown,

    nearest: (x, y, within) => best((px, py) => (px - x) ** 2 + (py - y) ** 2, within ** 2),

    /** The nearest in a direction, where what lies aside counts as farther away. */
    toward: (from, dx, dy) =>
      best((px, py) => {
        const along = (px - from.x) * dx + (py - from.y) * dy;
        const distance = Math.hypot(px - from.x, py - from.y);
        return along > STRAIGHT * distance && distance > 0 ? distance * (2 - along / distance) : Infinity;
      }, Infinity),

    /** The nearest ones, best first. */
    around(x, y, count) {
      const found = [];
      for (const part of shown) {
        for (let index = 0; index < part.count; index += 1) {
          const far = (part.xy[2 * index] - x) ** 2 + (part.xy[2 * index + 1] - y) ** 2;
          if (found.length === count && far >= found.at(-1).far) continue;
          found.push({ far, part, index });
          found.sort((one, other) => one.far - other.far);
          found.length = Math.min(found.length, count);
        }
      }
      return found.map(({ part, index }) => point(part, index));
    },

    /** Those in a box; null where there are more than `most`. */
    within({ left, top, right, bottom }, most) {
      const found = [];
      for (const part of shown) {
        for (let index = 0; index < part.count; index += 1) {
          const [x, y] = [part.xy[2 * index], part.xy[2 * index + 1]];
          if (x < left || x > right || y < top || y > bottom) continue;
          if (found.length === most) return null;
          found.push(point(part, index));
        }
      }
      return found;
    },

    of(trackId) {
      for (const part of kept.values()) {
        const index = part.ids.indexOf(trackId);
        if (index >= 0) return point(part, index);
      }
      return null;
    },
  };
}
