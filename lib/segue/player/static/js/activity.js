// Activity: what this listener did, and for an operator what everybody does.

import { allActivity } from "./all_activity.js";
import { h } from "./dom.js";
import { myActivity } from "./my_activity.js";

export function activityPage(app) {
  const all = allActivity(app);
  const mine = myActivity(app, { whenOperator: all.begin });
  const element = h(
    "div",
    { class: "view view-activity" },
    h("h1", { class: "page-title" }, "Activity"),
    mine.element,
    all.element,
  );
  return {
    element,
    title: "Activity",
    shown() {
      mine.shown();
      all.shown();
    },
    close() {
      mine.close();
      all.close();
    },
  };
}
