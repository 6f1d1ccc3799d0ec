// Quiet words at the foot of the page, and the mark for what is kept and not yet sent.

import { h, keepingFocus, setText } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;

export function notices() {
  const element = h("div", { class: "notices", role: "status", "aria-live": "polite" });
  let shown = null;

  function hide() {
    clearTimeout(shown?.timer);
    keepingFocus(element, () => shown?.notice.remove());
    shown = null;
  }

  function hideLater() {
    clearTimeout(shown?.timer);
    if (shown && !shown.action) shown.timer = setTimeout(hide, SHOWN_MS);
  }

  /**
   * One at a time; `action` {label, act} makes it stay until it is used, shut or replaced.
   * One without goes by itself, but not while the pointer rests on it.
   */
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
    const shut =
      action &&
      h(
        "button",
        { class: "icon-button", type: "button", "aria-label": "Close this notice", onclick: hide },
        icon("close"),
      );
    const notice = h(
      "div",
      { class: "notice", onpointerenter: () => clearTimeout(shown?.timer), onpointerleave: hideLater },
      h("span", {}, text),
      button,
      shut,
    );
    element.append(notice);
    shown = { notice, action, timer: 0 };
    hideLater();
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
