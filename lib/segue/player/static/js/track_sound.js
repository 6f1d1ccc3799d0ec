// A track's sound in words and as a small picture: the numbers of its print, each on its scale.

import { h } from "./dom.js";
import { readPrint } from "./print.js";
import { NOTE_NAMES } from "./sound.js";

const SCALES = [
  ["loudness", "Loudness", "quiet", "loud"],
  ["brightness", "Brightness", "dark", "bright"],
  ["roughness", "Texture", "smooth", "rough"],
  ["contrast", "Clearness", "dense", "clear"],
  ["bandwidth", "Width", "narrow", "wide"],
  ["movement", "Movement", "steady", "lively"],
  ["tonality", "Harmony", "rich", "plain"],
  ["noise", "Upper edge", "low", "high"],
];
const IN_THE_MIDDLE = 0.1;
const SPOKEN_NOTES = 3;

export function trackSound() {
  const scales = h("dl", { class: "scales" });
  const notes = h("div", { class: "pitches", role: "img" });
  const element = h(
    "section",
    { class: "track-sound", "aria-label": "How it sounds" },
    h("h2", {}, "How it sounds"),
    h("p", { class: "quiet" }, "Where it stands among all tracks here, and how strong each note is in it."),
    h("div", { class: "sound-figures" }, scales, notes),
  );

  function show(print) {
    const sound = readPrint(print);
    scales.replaceChildren(...SCALES.map((each) => scaleOf(sound, ...each)));
    notes.setAttribute("aria-label", notesInWords(sound.chroma));
    notes.replaceChildren(...sound.chroma.map(noteBar));
  }
  return { element, show };
}

function scaleOf(sound, field, name, low, high) {
  const value = sound[field];
  const told = `${Math.round(100 * value)} of 100`;
  const leans = Math.abs(value - 0.5) < IN_THE_MIDDLE ? null : value < 0.5 ? "low" : "high";
  return h(
    "div",
    { class: "scale", "data-leans": leans },
    h("dt", {}, name),
    h(
      "dd",
      {},
      h("span", { class: "scale-low" }, low),
      h("span", { class: "scale-line", style: `--at:${value}`, "aria-hidden": "true" }),
      h("span", { class: "scale-high" }, high),
      h("span", { class: "unseen" }, `: ${told} from ${low} to ${high}`),
    ),
  );
}

function noteBar(strength, index) {
  return h(
    "span",
    { class: "note", style: `--strength:${strength};--note-hue:${(25 + ((index * 7) % 12) * 30) % 360}` },
    h("i", {}),
    h("span", {}, NOTE_NAMES[index].replace(" sharp", "♯").replace(" flat", "♭")),
  );
}

function notesInWords(chroma) {
  const strongest = chroma
    .map((strength, index) => ({ strength, name: NOTE_NAMES[index] }))
    .sort((a, b) => b.strength - a.strength)
    .slice(0, SPOKEN_NOTES);
  return `Strongest notes: ${strongest.map(({ name }) => name).join(", ")}`;
}
