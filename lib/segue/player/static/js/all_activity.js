// Everybody's, for an operator: what the live workers count. The kernel decides who may see it.

import { barChart, figureRow } from "./charts.js";
import { h } from "./dom.js";
import { count } from "./format.js";

const ALL_EVERY_MS = 5000;
const MINUTES = 60;
const FIGURES_OF_ALL = [
  "Listeners now",
  "Plays a minute",
  "Events waiting",
  "Typical wait for a list",
  "95 % of lists within",
  "Rejected",
];
const PEOPLE_AND_NOT = ["real", "simulated"];

export function allActivity(app) {
  const figures = figureRow(FIGURES_OF_ALL, "all-figures");
  const plays = barChart({ heading: "Plays a minute", kinds: PEOPLE_AND_NOT, testid: "all-plays" });
  const listeners = barChart({ heading: "Active listeners", kinds: PEOPLE_AND_NOT, testid: "all-listeners" });
  const latency = barChart({ heading: "95 % of lists within", kinds: ["real"], testid: "all-latency" });
  const rejected = barChart({ heading: "Rejected events", kinds: ["real"], testid: "all-rejected" });
  const state = h("p", { class: "quiet activity-note", role: "status" });
  const top = h("div", { class: "activity-top" });
  const element = h(
    "section",
    { "aria-label": "Everybody", "data-testid": "all-activity", hidden: true },
    h("div", { class: "section-head" }, h("h2", {}, "Everybody"), h("span", { class: "mark" }, "operator")),
    state,
    figures.element,
    h("div", { class: "charts" }, plays.element, listeners.element, latency.element, rejected.element),
    top,
  );
  let timer = 0;
  let asking = false;

  function begin() {
    if (!element.hidden) return;
    element.hidden = false;
    look();
  }

  /** One question at a time, and none while nobody looks. */
  async function look() {
    clearTimeout(timer);
    timer = setTimeout(look, ALL_EVERY_MS);
    const hidden = element.hidden || element.closest(".view").hidden;
    if (hidden || asking || document.visibilityState !== "visible") return;
    asking = true;
    try {
      show(await app.ask("all_activity", { minutes: MINUTES }));
    } catch (error) {
      state.textContent = `${error.message} These numbers stand still until then.`;
    }
    asking = false;
  }

  function show(found) {
    state.textContent = workersInWords(found.workers);
    const { last_minute: last, total } = found;
    figures.show([
      (last.real.listeners + last.simulated.listeners).toLocaleString("en"),
      (last.real.plays + last.simulated.plays).toLocaleString("en"),
      found.lag.toLocaleString("en"),
      inTime(total.median_s),
      inTime(total.p95_s),
      total.rejected.toLocaleString("en"),
    ]);
    const both = (name) => (minute) => ({ real: minute.real[name], simulated: minute.simulated[name] });
    drawMinutes(plays, found, both("plays"), (number) => count(number, "play"));
    drawMinutes(listeners, found, both("listeners"), (number) => count(number, "listener"));
    drawMinutes(latency, found, (minute) => ({ real: minute.p95_s ?? 0 }), inTime);
    drawMinutes(rejected, found, (minute) => ({ real: minute.rejected }), (number) => count(number, "event"));
    const ranked = PEOPLE_AND_NOT.filter((origin) => found.top_tracks[origin].length);
    top.replaceChildren(...ranked.map((origin) => topTracks(origin, found.top_tracks[origin])));
  }

  return {
    element,
    begin,
    shown: () => element.hidden || look(),
    close: () => clearTimeout(timer),
  };
}

function drawMinutes(chart, found, valuesOf, shown) {
  const bars = found.by_minute.map((minute) => ({ name: timeOfDay(minute.at), values: valuesOf(minute) }));
  const last = bars.at(-2) ?? bars.at(-1);
  const said = PEOPLE_AND_NOT.filter((origin) => last.values[origin]).map(
    (origin) => shown(last.values[origin]) + (origin === "simulated" ? " simulated" : ""),
  );
  const words = `${said.join(" and ") || "none"} in the last full minute of ${count(bars.length, "minute")}`;
  chart.draw({ bars, shown, words, ends: [bars[0].name, "now"] });
}

function topTracks(origin, tracks) {
  const heading = origin === "simulated" ? "Most played by simulated listeners" : "Most played by people";
  return h(
    "section",
    { "aria-label": heading },
    h("h3", {}, heading),
    h(
      "ol",
      { class: "ranking" },
      tracks.map(({ title, artist, plays, missed }) =>
        h(
          "li",
          {},
          h("span", { class: "ranking-name" }, [title, artist].filter(Boolean).join(" · ")),
          h("span", {}, `${missed ? "at least " : ""}${count(plays, "play")}`),
        ),
      ),
    ),
  );
}

function workersInWords(workers) {
  if (!workers.length) return "No worker is at work: lists do not change until one is.";
  const away = [...new Set(workers.flatMap((worker) => worker.away))];
  return [
    `${count(workers.length, "worker")} at work.`,
    away.length ? `Waiting for ${away.join(" and ")}.` : "",
  ].join(" ");
}

function inTime(seconds) {
  if (seconds === null) return "–";
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

function timeOfDay(at) {
  return new Date(at).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
}
