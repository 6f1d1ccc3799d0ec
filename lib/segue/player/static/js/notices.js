// Quiet words at the foot of the page, and the mark for what is kept and not yet sent.

import { h, setText } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;

export function notices() {
  const element = h("div", { class: "notices", role: "status", "aria-live": "polite" });
  let shown = null;

  function hide() {
    clearTimeout(shown?.timer);
    shown?.notice.remove();
    shown = null;
  }

  /** One at a time; `action` {label, act} makes it stay until it is used or replaced. */
  function say(text, action = null) {
    hide();
    const button =
      action &&
      h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => {
            hide();
            action.act();
          },
        },
        action.label,
      );
    const notice = h("div", { class: "notice" }, h("span", {}, text), button);
    element.append(notice);
    shown = { notice, timer: action ? 0 : setTimeout(hide, SHOWN_MS) };
  }
  return { element, say, hide, close: hide };
}

export function pendingMark(app) {
  const words = h("span", {});
  const element = h(
    "p",
    { class: "pending", "data-testid": "pending", role: "status", hidden: true },
    icon("kept"),
    words,
  );

  function show() {
    const away = app.offline();
    const number = away ? app.outbox.size() : app.outbox.waiting();
    element.hidden = !away && number === 0;
    if (element.hidden) setText(words, "");
    else if (number) setText(words, `${number} kept, will be sent`);
    else setText(words, "Offline");
  }
  app.outbox.on("change", show);
  app.state.on("link", show);
  app.state.on("status", show);
  window.addEventListener("offline", show);
  window.addEventListener("online", show);
  show();
  return {
    element,
    close() {
      window.removeEventListener("offline", show);
      window.removeEventListener("online", show);
    },
  };
}
