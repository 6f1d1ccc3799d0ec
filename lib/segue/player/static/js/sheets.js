// Sheets over the page: the keys, and how it works in the notebook's own words.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const KEYS = [
  [["Space"], "play or pause"],
  [["←", "→"], "back or on by 5 seconds"],
  [["Shift", "←"], "previous track"],
  [["Shift", "→"], "next track"],
  [["↑", "↓"], "louder or quieter"],
  [["l"], "like what plays"],
  [["d"], "not for me"],
  [["q"], "queue the row under the pointer"],
  [["/"], "find"],
  [["?"], "this list"],
];

export function keySheet() {
  const rows = KEYS.map(([keys, words]) => [
    h(
      "dt",
      {},
      keys.map((key) => h("kbd", {}, key)),
    ),
    h("dd", {}, words),
  ]);
  return sheet("Keys", h("dl", { class: "keys" }, rows.flat()));
}

export function notesSheet() {
  const body = h("div", { class: "notes" });
  const made = sheet("How it works", body);
  return {
    ...made,
    open() {
      body.replaceChildren(...(notes()?.cloneNode(true).childNodes ?? []));
      for (const anchor of body.querySelectorAll(".anchor-link")) anchor.remove();
      for (const named of body.querySelectorAll("[id]")) named.removeAttribute("id");
      made.open();
    },
  };
}

/** The words of the notebook, where its page carries them. */
export function notes() {
  return document.getElementById("segue-notes");
}

function sheet(heading, body) {
  const shut = h(
    "button",
    { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => element.close() },
    icon("close"),
  );
  const element = h(
    "dialog",
    { class: "sheet", "aria-label": heading, onclick: outside },
    h("div", { class: "sheet-head" }, h("h2", {}, heading), shut),
    body,
  );

  function outside(event) {
    if (event.target === element) element.close();
  }
  return { element, open: () => element.open || element.showModal(), close: () => element.close() };
}
