// One to five stars for a track, as choices of a menu.

import { h, setAttribute } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";

const VALUES = [1, 2, 3, 4, 5];
const asking = new WeakSet();

/** `detail()` says from where a rating is given: {position, source}. */
export function starChoices(app, card, detail) {
  const stars = VALUES.map((value) =>
    h(
      "button",
      {
        class: "star",
        type: "button",
        role: "menuitemradio",
        "aria-label": count(value, "star"),
        "data-testid": `star-${value}`,
        onclick: () => choose(value),
      },
      icon("star"),
    ),
  );

  function choose(value) {
    app.menus.close({ refocus: true });
    app.opinions.rate(card, value, detail());
    const given = app.opinions.stars(card.track_id);
    app.say(given ? `${card.title}: ${given} of 5 stars` : `Your stars for ${card.title} are taken back`);
  }

  function show() {
    const given = app.opinions.stars(card.track_id) ?? 0;
    stars.forEach((star, index) => {
      setAttribute(star, "aria-checked", String(given === index + 1));
      setAttribute(star, "data-given", index < given);
    });
  }

  show();
  learn(app, show);
  return h("div", { class: "stars", role: "group", "aria-label": "Your rating" }, stars);
}

/** What was given before this page is asked for when stars are first seen. */
async function learn(app, show) {
  if (asking.has(app)) return;
  asking.add(app);
  try {
    app.opinions.learnStars((await app.ask("ratings")).ratings);
    show();
  } catch {
    asking.delete(app);
  }
}
