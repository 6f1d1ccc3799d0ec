// Cards of the map's points, asked for when they are wanted: a point is only a number and a place.

const WAIT_MS = 120;
const NAMED_AT_ONCE = 60;

/** `changed()` is told that there are more, `failed(words)` that none came. */
export function createMapNames(app, { changed, failed }) {
  const wanted = new Set();
  const asked = new Set();
  const absent = new Set();
  let timer = 0;

  function want(trackIds) {
    for (const id of trackIds)
      if (!app.cards.has(id) && !asked.has(id) && !absent.has(id)) wanted.add(id);
    if (wanted.size && !timer) timer = setTimeout(askNext, WAIT_MS);
  }

  async function askNext() {
    timer = 0;
    // What was wanted last is what is looked at now.
    const among = [...wanted].slice(-NAMED_AT_ONCE);
    wanted.clear();
    for (const id of among) asked.add(id);
    try {
      app.learn((await app.ask("find", { among }, "found")).tracks);
      for (const id of among) if (!app.cards.has(id)) absent.add(id);
      changed();
    } catch (error) {
      failed(error.message);
    }
    for (const id of among) asked.delete(id);
  }

  return {
    want,
    /** Whether a track is known to have no card. */
    lacks: (id) => absent.has(id),
    /** The card of one track; fails with words where nobody can tell. */
    async card(id) {
      if (!app.cards.has(id)) app.learn((await app.ask("find", { among: [id] }, "found")).tracks);
      const found = app.cards.get(id);
      if (!found) throw new Error("This track is not here any more.");
      return found;
    },
    close: () => clearTimeout(timer),
  };
}
