// Beside the page: why this plays, and what comes next.

import { h, keepingFocus } from "./dom.js";
import { icon } from "./icons.js";
import { soundPrint } from "./print.js";
import { writeReason } from "./row.js";

const SHOWN = 20;

export function upNext(app) {
  const { player, queue } = app;
  const why = h("p", { class: "why" });
  const list = h("ol", { class: "queue" });
  const note = h("p", { class: "quiet" });
  const shut = h(
    "button",
    {
      class: "icon-button up-next-shut",
      type: "button",
      "aria-label": "Close",
      onclick: () => app.showUpNext(false),
    },
    icon("close"),
  );
  const now = h("section", { "aria-label": "Why this", hidden: true }, h("h2", {}, "Why this"), why);
  const element = h(
    "aside",
    { class: "up-next", "aria-label": "Up next", "data-testid": "up-next", tabindex: -1 },
    shut,
    now,
    h("section", { "aria-label": "Queue" }, h("h2", {}, "Up next"), list, note),
  );

  function show() {
    const entry = player.entry();
    now.hidden = !entry?.why?.text || entry.source.list !== "for-you";
    if (!now.hidden) writeReason(why, entry.why);
    const upcoming = queue.upcoming();
    const rows = upcoming.slice(0, SHOWN).map((each, index) => queued(each, index));
    keepingFocus(list, () => list.replaceChildren(...rows));
    note.textContent = words(entry, upcoming.length);
  }

  function words(entry, number) {
    if (!entry) return "What comes next stands here once something plays.";
    if (number > SHOWN) return `and ${number - SHOWN} more`;
    return number ? "" : "Nothing more is queued.";
  }

  function queued({ card }, index) {
    return h(
      "li",
      { class: "queued" },
      soundPrint(card.print),
      h(
        "div",
        { class: "queued-words" },
        h("button", { class: "queued-title", type: "button", onclick: () => player.jump(index) }, card.title),
        h("span", { class: "queued-artist" }, card.artist),
      ),
      h(
        "button",
        {
          class: "icon-button remove",
          type: "button",
          "aria-label": `Take out: ${card.title}`,
          onclick: () => queue.remove(index),
        },
        icon("close"),
      ),
    );
  }

  queue.on("change", show);
  player.on("track", show);
  show();
  return { element };
}
