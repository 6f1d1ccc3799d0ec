// A sound in two or three words, from the same numbers as its print.

import { readPrint } from "./print.js";

export const NOTE_NAMES = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];
const AVERAGE = "in the middle of everything";
const WORDS = [
  ["loudness", "quiet", "loud"],
  ["brightness", "dark", "bright"],
  ["roughness", "smooth", "rough"],
];

/** For example "quiet, dark, smooth": only what stands out, at least one word where anything does. */
export function soundInWords(numbers) {
  const sound = readPrint(numbers);
  const told = WORDS.map(([field, low, high]) => ({
    word: sound[field] < 0.5 ? low : high,
    strength: Math.abs(sound[field] - 0.5),
  }));
  if (told.every(({ strength }) => strength === 0)) return AVERAGE;
  const clear = told.filter(({ strength }) => strength >= 0.15);
  const chosen = clear.length
    ? clear
    : [told.reduce((best, each) => (each.strength > best.strength ? each : best))];
  return chosen.map(({ word }) => word).join(", ");
}

export function printInWords(numbers) {
  const { chroma } = readPrint(numbers);
  const strongest = NOTE_NAMES[chroma.indexOf(Math.max(...chroma))];
  return `Sound print: ${soundInWords(numbers)}, strongest on ${strongest}`;
}
