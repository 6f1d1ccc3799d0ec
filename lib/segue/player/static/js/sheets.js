// Sheets over the page: the keys, how one track follows another, and how it works in the notebook's own words.

import { h, setText } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { hasLetterKeys, setLetterKeys } from "./letter_keys.js";

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
  [["m"], "the map"],
  [["Esc"], "close what lies over the page"],
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
  const letters = h("input", {
    type: "checkbox",
    "data-testid": "letter-keys",
    onchange: () => setLetterKeys(letters.checked),
  });
  letters.checked = hasLetterKeys();
  const choice = h("label", { class: "letter-keys" }, letters, "Letters and signs are keys, too");
  return sheet("Keys", h("div", {}, h("dl", { class: "keys" }, rows.flat()), choice));
}

/** How one track goes over into the next. */
export function crossFadeSheet(app) {
  const { player } = app;
  const said = h("output", { class: "fade-said" });
  const slider = h("input", {
    class: "slider fade",
    type: "range",
    min: 0,
    max: 12,
    step: 1,
    "data-testid": "cross-fade",
    oninput: choose,
  });
  const made = sheet(
    "Cross-fade",
    h(
      "div",
      {},
      h("label", { class: "fade-line" }, "Tracks fade into each other for", slider, said),
      h("p", { class: "quiet" }, "Off: the next begins at the very end of the one before, without a gap."),
    ),
  );

  function choose() {
    player.setCrossFade(Number(slider.value));
    show();
  }

  function show() {
    const seconds = player.crossFade();
    slider.value = seconds;
    made.element.style.setProperty("--played", `${(100 * seconds) / 12}%`);
    setText(said, fadeInWords(seconds));
    slider.setAttribute("aria-valuetext", fadeInWords(seconds));
  }

  return {
    ...made,
    open() {
      show();
      made.open();
    },
  };
}

export function fadeInWords(seconds) {
  return seconds ? count(seconds, "second") : "off";
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

export function sheet(heading, body) {
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
