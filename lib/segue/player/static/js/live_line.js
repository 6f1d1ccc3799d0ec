// One quiet line that says what happened to the list, and when.

import { h } from "./dom.js";
import { ago } from "./format.js";

const MINUTE = 60_000;

export function liveLine(app) {
  const line = h("p", {
    class: "live-line",
    "data-testid": "live-line",
    role: "status",
    "aria-live": "polite",
  });
  let shownAs = "";

  /** `aloud`: a reader hears it; the minutes that go by are not worth a word. */
  function write({ aloud }) {
    const parts = words(app);
    const text = parts.join("");
    if (text === shownAs) return;
    shownAs = text;
    line.setAttribute("aria-live", aloud ? "polite" : "off");
    line.replaceChildren(...parts.map((part, index) => (index % 2 ? h("em", {}, part) : part)));
  }

  const timer = setInterval(() => write({ aloud: false }), MINUTE / 2);
  app.forYou.on("change", ({ isUpdate }) => {
    if (isUpdate) {
      line.classList.remove("fresh");
      requestAnimationFrame(() => line.classList.add("fresh"));
    }
    write({ aloud: isUpdate });
  });
  app.state.on("status", () => write({ aloud: true }));
  write({ aloud: false });
  return { element: line, close: () => clearInterval(timer) };
}

/** Plain words at even places, titles at odd ones. */
function words(app) {
  if (app.state.status.worker === false)
    return ["The list is resting. What you do is kept, and counted when it wakes."];
  const change = app.forYou.change();
  if (change) {
    const when = `Updated ${ago(Date.now() - change.at)}`;
    const [before = "", title = "", after = ""] = change.words;
    return before ? [`${when}, ${before}`, title, after] : [when];
  }
  if (app.forYou.waiting()) return [""];
  if (app.forYou.impersonal()) return ["For everybody, until you like something."];
  return ["From what you play, like and leave."];
}
