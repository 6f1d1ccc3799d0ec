// What each model finds near a track, side by side: the same question, heard by different ears.

import { bringIntoSight, h, setAttribute } from "./dom.js";
import { count } from "./format.js";
import { stated } from "./list.js";
import { soundPrint } from "./print.js";
import { moreButton, onRefresh } from "./row.js";

const EARS = [
  ["exact", "Exact", "Listens to the sound: all 518 measurements, every track compared."],
  ["kmeans", "KMeans", "The same measurements, tracks of its own group before all others."],
  ["lsh", "LSH", "The same measurements by shared buckets: quick, and may miss some."],
  ["embedding", "Embedding", "A learned ear: what brings tracks of a genre and of an artist together."],
  ["als", "ALS", "Does not listen at all: it goes by who plays what."],
];
const ALONE = "There is no other track here.";
const SKELETONS = 5;

export function nearColumns(app) {
  const columns = h("div", { class: "near-columns", onfocusin: bringIntoSight });
  const note = h("p", { class: "quiet" });
  const element = h(
    "section",
    { class: "track-near", "aria-label": "Near it", "data-testid": "near" },
    h("h2", {}, "Near it, by each model"),
    note,
    columns,
  );

  /** `near`: [{model, tracks}]. */
  function show(near) {
    const found = EARS.map(([model, name, words]) => ({
      model,
      name,
      words,
      tracks: near.find((each) => each.model === model)?.tracks ?? [],
    })).filter(({ tracks }) => tracks.length);
    const named = new Map();
    for (const { tracks } of found)
      for (const { track_id: id } of tracks) named.set(id, (named.get(id) ?? 0) + 1);
    note.textContent = app.state.welcome?.dataset.tracks === 1 ? ALONE : wordsFor(found, named);
    columns.removeAttribute("aria-busy");
    columns.replaceChildren(...found.map((each) => nearColumn(app, each, found.length > 1 ? named : null)));
  }

  function loading() {
    note.textContent = "What each finds, to hear the difference.";
    columns.setAttribute("aria-busy", "true");
    columns.replaceChildren(...Array.from({ length: EARS.length }, columnSkeleton));
  }
  function failed(sentence, action) {
    note.textContent = "";
    columns.removeAttribute("aria-busy");
    columns.replaceChildren(stated("state-failed", sentence, action));
  }
  return { element, show, loading, failed };
}

function wordsFor(found, named) {
  if (!found.length)
    return "This track came after the last run of the models: its neighbours stand here after the next.";
  if (found.length < 2) return "One model of this run can tell what is near.";
  const shared = [...named.values()].filter((times) => times === found.length).length;
  return shared
    ? `All of them agree on ${count(shared, "track")}; what only one finds is marked.`
    : "They agree on no track; what only one finds is marked.";
}

function nearColumn(app, { model, name, words, tracks }, named) {
  const items = tracks.map((card) => ({ card, source: { list: "similar", model } }));
  const simulated = model === "als" && app.state.welcome?.dataset.simulated;
  return h(
    "section",
    { class: "near-column", "aria-label": name, "data-model": model },
    h("h3", {}, name, simulated ? h("span", { class: "mark" }, "simulated listeners") : null),
    h("p", { class: "near-ear" }, words),
    h(
      "ol",
      {},
      items.map((item, index) => nearRow(app, item, named?.get(item.card.track_id) === 1, play)),
    ),
  );
  function play(index) {
    app.player.playFrom(items, index);
  }
}

function nearRow(app, item, alone, play) {
  const { card } = item;
  const title = h(
    "button",
    { class: "near-title", type: "button", "data-testid": "play", onclick: toggle },
    soundPrint(card.print),
    h(
      "span",
      { class: "near-words" },
      h("span", {}, card.title),
      h("span", { class: "near-artist" }, card.artist),
      alone ? h("span", { class: "near-alone" }, "only here") : null,
    ),
  );
  const row = h(
    "li",
    { class: "near", "data-track-id": card.track_id },
    title,
    moreButton(app, () => item),
  );
  row.segueItem = item;

  function toggle() {
    if (app.player.entry()?.card.track_id === card.track_id) app.player.toggle();
    else play([...row.parentNode.children].indexOf(row));
  }
  onRefresh(row, () => {
    const current = app.player.entry()?.card.track_id === card.track_id;
    setAttribute(row, "data-playing", current ? (app.player.playing() ? "yes" : "paused") : null);
    setAttribute(title, "aria-current", current ? "true" : null);
  });
  return row;
}

function columnSkeleton() {
  const line = (width) => h("span", { class: "skeleton-line", style: `width:${width}` });
  const row = () =>
    h(
      "li",
      { class: "near skeleton" },
      h("span", { class: "skeleton-print near-print" }),
      h("span", { class: "near-words" }, line("80%"), line("50%")),
    );
  return h(
    "section",
    { class: "near-column", "aria-hidden": "true" },
    h("h3", { class: "skeleton" }, line("5em")),
    h("ol", {}, Array.from({ length: SKELETONS }, row)),
  );
}
