// The sound print as a picture in a data address, for what lies outside the page, such as a lock screen.

import { h } from "./dom.js";
import { printHue, soundPrint } from "./print.js";

const PIXELS = 256;
const PAINT = {
  "print-ground": (hue) => ({ fillStyle: `oklch(27% 0.04 ${hue})` }),
  "print-ring": (hue) => ({ strokeStyle: `oklch(50% 0.08 ${hue})` }),
  "print-petal": (hue, strength) => ({
    fillStyle: `oklch(${44 + 40 * strength}% ${0.06 + 0.07 * strength} ${hue})`,
  }),
  "print-heart": (hue) => ({ strokeStyle: `oklch(78% 0.11 ${hue})` }),
};

/** A PNG, `PIXELS` wide and high, in the colours of the dark theme. */
export function printPicture(numbers) {
  const canvas = h("canvas", { width: PIXELS, height: PIXELS });
  const pen = canvas.getContext("2d");
  const hue = printHue(numbers);
  pen.fillStyle = `oklch(16% 0.008 ${hue})`;
  pen.fillRect(0, 0, PIXELS, PIXELS);
  pen.translate(PIXELS / 2, PIXELS / 2);
  pen.scale(PIXELS / 100, PIXELS / 100);
  for (const shape of soundPrint(numbers).querySelectorAll("circle, path")) draw(pen, shape, hue);
  return { src: canvas.toDataURL("image/png"), sizes: `${PIXELS}x${PIXELS}`, type: "image/png" };
}

function draw(pen, shape, hue) {
  const strength = Number(shape.style.getPropertyValue("--strength"));
  const paint = PAINT[shape.getAttribute("class")](hue, strength);
  pen.save();
  Object.assign(pen, paint, { lineWidth: Number(shape.getAttribute("stroke-width")) || 1 });
  const turn = /^rotate\((\d+)\)$/.exec(shape.getAttribute("transform") ?? "");
  if (turn) pen.rotate((Number(turn[1]) * Math.PI) / 180);
  const line = outlineOf(shape);
  if (paint.fillStyle) pen.fill(line);
  else pen.stroke(line);
  pen.restore();
}

function outlineOf(shape) {
  if (shape.matches("path")) return new Path2D(shape.getAttribute("d"));
  const circle = new Path2D();
  circle.arc(0, 0, Number(shape.getAttribute("r")), 0, 2 * Math.PI);
  return circle;
}
