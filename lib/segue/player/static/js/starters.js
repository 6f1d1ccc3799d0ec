// The first visit: three tracks that differ most; picking one makes the list personal.

import { h, setAttribute } from "./dom.js";
import { icon } from "./icons.js";
import { soundPrint } from "./print.js";
import { composedMark, onRefresh } from "./row.js";
import { soundInWords } from "./sound.js";

export function starters(app) {
  const cards = h("ul", { class: "starter-cards" });
  const section = h(
    "section",
    { class: "starters", "data-testid": "starters", "aria-label": "Pick what you like", hidden: true },
    h("h2", {}, "Pick what you like"),
    h(
      "p",
      { class: "quiet" },
      "A pick plays and counts as a like; the list below follows. Its picture is drawn from its sound.",
    ),
    cards,
  );

  function show(found) {
    section.hidden = found.length === 0;
    cards.replaceChildren(...found.map((card) => starter(app, { card, source: { list: "starters" } })));
  }
  return { element: section, show };
}

function starter(app, item) {
  const { card } = item;
  const state = h("span", { class: "starter-state" });
  const button = h(
    "button",
    {
      class: "starter",
      type: "button",
      "data-testid": "starter",
      "data-track-id": card.track_id,
      onclick: pick,
    },
    soundPrint(card.print),
    h("span", { class: "starter-title" }, card.title),
    h("span", { class: "starter-artist" }, card.artist),
    h("span", { class: "starter-sound" }, [card.genre, soundInWords(card.print)].filter(Boolean).join(" · ")),
    composedMark(card),
    state,
  );

  function pick() {
    const isPicked = app.opinions.of(card.track_id) === "like";
    if (!isPicked && app.player.entry()?.card.track_id !== card.track_id) app.player.playFrom([item], 0);
    app.opinions.toggle(card, "like", { source: item.source });
  }

  onRefresh(button, () => {
    const liked = app.opinions.of(card.track_id) === "like";
    setAttribute(button, "aria-pressed", String(liked));
    state.replaceChildren(icon(liked ? "check" : "heart"), liked ? "Picked" : "I like this");
  });
  return h("li", {}, button);
}
