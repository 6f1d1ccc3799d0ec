// The picture of a sound: twelve petals, one a pitch class, drawn from the 20 numbers of a card.
// Same numbers, same picture: nothing here is random.

import { svg } from "./dom.js";

const FIELDS = [
  "loudness",
  "brightness",
  "roughness",
  "contrast",
  "bandwidth",
  "movement",
  "tonality",
  "noise",
];
const TURN = 2 * Math.PI;
const RIM = 47;
const SLOT = Math.tan(Math.PI / 12);
const HUE_OF_C = 25;

export function readPrint(numbers) {
  const clean = Array.from({ length: 20 }, (_, index) => {
    const value = Number(numbers?.[index]);
    return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0.5;
  });
  const sound = { chroma: clean.slice(0, 12) };
  FIELDS.forEach((name, index) => (sound[name] = clean[12 + index]));
  return sound;
}

/** Hue (degrees, OKLCH) of the strongest pitch class: neighbours on the circle of fifths are alike. */
export function printHue(numbers) {
  const { chroma } = readPrint(numbers);
  const strongest = chroma.indexOf(Math.max(...chroma));
  return (HUE_OF_C + fifths(strongest) * 30) % 360;
}

function fifths(pitchClass) {
  return (pitchClass * 7) % 12;
}

export function soundPrint(numbers, label = null) {
  const sound = readPrint(numbers);
  const hue = printHue(numbers);
  const heart = 4 + 13 * sound.brightness;
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return svg(
    "svg",
    { class: "print", viewBox: "-50 -50 100 100", style: `--print-hue:${hue}`, ...named },
    svg("circle", { class: "print-ground", r: 50 }),
    svg("path", { class: "print-ring", d: ring(sound), "stroke-width": round(0.8 + 2.6 * sound.loudness) }),
    svg(
      "g",
      {},
      sound.chroma.map((strength, index) => petal(sound, heart, strength, index)),
    ),
    svg("circle", {
      class: "print-heart",
      r: round(heart * 0.62),
      "stroke-width": round(0.8 + 2.2 * sound.loudness),
    }),
  );
}

/** A teardrop outward from the heart: as long as its pitch class is strong, as thick as the track is loud. */
function petal(sound, heart, strength, index) {
  const length = 4 + (RIM - 7 - heart) * strength ** 1.2;
  const tip = heart + length;
  const widest = heart + length * 0.7;
  const half = widest * SLOT * (0.4 + 0.55 * sound.loudness);
  const d = [
    `M0 ${round(-heart)}`,
    curve(half * 0.5, -heart - length * 0.2, half, -widest + length * 0.15, half, -widest),
    curve(half, -tip + length * 0.1, half * 0.55, -tip, 0, -tip),
    curve(-half * 0.55, -tip, -half, -tip + length * 0.1, -half, -widest),
    curve(-half, -widest + length * 0.15, -half * 0.5, -heart - length * 0.2, 0, -heart),
    "Z",
  ].join("");
  const turn = `rotate(${index * 30})`;
  return svg("path", { class: "print-petal", d, transform: turn, style: `--strength:${round(strength)}` });
}

/** A closed wave near the rim: as deep as the sound is rough, with more waves the greater its contrast. */
function ring(sound) {
  const waves = 12 + 12 * Math.round(3 * sound.contrast);
  const depth = 3.4 * sound.roughness ** 1.5;
  const points = waves * 6;
  let d = "";
  for (let index = 0; index < points; index += 1) {
    const angle = (index / points) * TURN;
    const radius = RIM - 2 - depth / 2 + (depth / 2) * Math.cos(angle * waves);
    d += `${index ? "L" : "M"}${round(radius * Math.sin(angle))} ${round(-radius * Math.cos(angle))}`;
  }
  return `${d}Z`;
}

function curve(...numbers) {
  return `C${numbers.map(round).join(" ")}`;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
