// Which lists were in view: told once a list, when a row of it has been in sight for a second.

import { session } from "./keep.js";

const IN_SIGHT_MS = 1000;
const SHOWN_KEPT = 300;
const SHOWN_LISTS = "segue.shown";

/** `list` is the element whose rows are sighted; what was told in this tab is not told again after a reload. */
export function createImpressions(app, list) {
  const told = new Set(session.get(SHOWN_LISTS) ?? []);
  const inSight = new Set();
  let timer = 0;
  let waitsFor = null;

  function sighted(row, isInSight) {
    if (isInSight) inSight.add(row);
    else inSight.delete(row);
    consider();
  }

  /** Time runs for one list at a time, and from the start when another takes its place or it goes out of sight. */
  function consider() {
    const name = nameOf(app.forYou.source());
    const worth = name && !told.has(name) && inSight.size > 0 && document.visibilityState === "visible";
    if (worth && name === waitsFor) return;
    clearTimeout(timer);
    waitsFor = worth ? name : null;
    if (worth) timer = setTimeout(tell, IN_SIGHT_MS);
  }

  function tell() {
    const source = app.forYou.source();
    const name = waitsFor;
    waitsFor = null;
    const first = [...list.querySelectorAll(".row")].find(
      (row) => inSight.has(row) && nameOf(row.segueItem?.source) === name && !isCovered(row),
    );
    if (first && name === nameOf(source)) {
      told.add(name);
      session.set(SHOWN_LISTS, [...told].slice(-SHOWN_KEPT));
      app.acts.act("impression", first.segueItem.card, { source });
    } else consider();
  }

  app.forYou.on("change", consider);
  document.addEventListener("visibilitychange", consider);
  return {
    sighted,
    close() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", consider);
    },
  };
}

/** A list for everybody has no id of its own: it is told once by its model. */
function nameOf(source) {
  return source ? (source.recommendation_id ?? source.model) : null;
}

/** An open sheet or the bar in its full size may lie over a row. */
function isCovered(row) {
  const { left, top, width, height } = row.getBoundingClientRect();
  return !row.contains(row.getRootNode().elementFromPoint(left + width / 2, top + height / 2));
}
