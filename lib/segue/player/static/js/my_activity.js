// Mine: plays by day, what was played most, what was broken off.

import { barChart, figureRow, percent } from "./charts.js";
import { h, setAttribute } from "./dom.js";
import { count } from "./format.js";
import { trackList } from "./list.js";
import { artistLink } from "./page_link.js";

const RANGES = [
  [7, "Week"],
  [30, "Month"],
  [365, "Year"],
];
const FIGURES = ["Plays", "Tracks", "Artists", "Likes", "Skipped"];

export function myActivity(app, { whenOperator }) {
  const figures = figureRow(FIGURES, "my-figures");
  const chart = barChart({ heading: "Plays", kinds: ["real"], testid: "my-days" });
  const tracks = trackList(app, { label: "Played most", testid: "my-tracks" });
  const artists = h("ol", { class: "ranking", "data-testid": "my-artists" });
  const note = h("p", { class: "quiet activity-note", role: "status" });
  const ranges = RANGES.map(([days, words]) =>
    h("button", { class: "button choice", type: "button", onclick: () => choose(days) }, words),
  );
  const most = h(
    "div",
    { class: "activity-most" },
    h("section", { "aria-label": "Played most" }, h("h3", {}, "Played most"), tracks.element),
    h("section", { "aria-label": "Artists", class: "activity-artists" }, h("h3", {}, "Artists"), artists),
  );
  const element = h(
    "section",
    { "aria-label": "Mine", "data-testid": "my-activity" },
    h(
      "div",
      { class: "section-head activity-head" },
      h("h2", {}, "Mine"),
      h("div", { class: "choices", role: "group", "aria-label": "How far back" }, ranges),
    ),
    figures.element,
    chart.element,
    note,
    most,
  );
  let days = 30;
  let asking = 0;
  let isShown = false;

  function choose(chosen) {
    days = chosen;
    ask();
  }

  async function ask() {
    ranges.forEach((button, index) =>
      setAttribute(button, "aria-pressed", String(RANGES[index][0] === days)),
    );
    if (!tracks.items().length) tracks.loading(5);
    if (!app.state.welcome) return;
    asking += 1;
    const own = asking;
    try {
      const found = await app.ask("my_activity", { days, offset_min: -new Date().getTimezoneOffset() });
      if (own === asking) show(found);
    } catch (error) {
      if (own === asking) fail(error.message);
    }
  }

  function fail(words) {
    artists.replaceChildren();
    note.textContent = "";
    most.classList.add("is-empty");
    tracks.failed(words, { label: "Try again", act: ask });
  }

  function show(found) {
    const { kinds } = found;
    figures.show([
      kinds.play.toLocaleString("en"),
      found.tracks.toLocaleString("en"),
      found.artists.toLocaleString("en"),
      kinds.like.toLocaleString("en"),
      percent(found.share_skipped),
    ]);
    drawDays(found.by_day, kinds.play);
    note.textContent = found.more ? "So much that only a part of it is counted here." : "";
    app.learn(found.top_tracks.map(({ track }) => track));
    const played = found.top_tracks.map(({ track, plays }) => ({
      card: track,
      source: { list: "activity" },
      why: { text: count(plays, "play") },
    }));
    most.classList.toggle("is-empty", !played.length);
    if (played.length) tracks.show(played);
    else
      tracks.empty("Nothing played in these days.", {
        label: "Go to your list",
        act: () => app.go("home"),
      });
    artists.replaceChildren(
      ...found.top_artists.map(({ artist, plays }) =>
        h(
          "li",
          {},
          artist
            ? artistLink(app, artist, { class: "ranking-name" })
            : h("span", { class: "ranking-name" }, "Unknown artist"),
          h("span", {}, count(plays, "play")),
        ),
      ),
    );
    if (found.operator) whenOperator();
  }

  function drawDays(byDay, plays) {
    const bars = byDay.length > 60 ? weeks(byDay) : byDay.map((each) => [dayName(each.day), each.plays]);
    chart.draw({
      bars: bars.map(([name, number]) => ({ name, values: { real: number } })),
      shown: (number) => count(number, "play"),
      words: `${count(plays, "play")} in ${count(byDay.length, "day")}`,
      ends: [dayName(byDay[0].day), "today"],
    });
  }

  app.state.on("welcome", () => isShown && !element.closest("[hidden]") && ask());
  return {
    element,
    shown() {
      isShown = true;
      ask();
    },
    close: tracks.close,
  };
}

/** [name, plays] of seven days each; the last ends today. */
function weeks(byDay) {
  const found = [];
  for (let end = byDay.length; end > 0; end -= 7) {
    const week = byDay.slice(Math.max(0, end - 7), end);
    found.unshift([`week from ${dayName(week[0].day)}`, week.reduce((sum, { plays }) => sum + plays, 0)]);
  }
  return found;
}

function dayName(day) {
  const named = { day: "numeric", month: "short", timeZone: "UTC" };
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en", named);
}
