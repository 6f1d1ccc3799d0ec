// A track's outline, mirrored: what was played, what is in the buffer and what is left in three colours.

import { h } from "./dom.js";

const LEAST = 0.06;

export function waveform() {
  const element = h("div", { class: "wave", "aria-hidden": "true", hidden: true });

  /** `peaks`: numbers from 0 to 255, or null for none. */
  function show(peaks) {
    element.hidden = !peaks?.length;
    if (!element.hidden) element.style.clipPath = `polygon(${waveEdge(peaks)})`;
  }
  return { element, show };
}

function waveEdge(peaks) {
  const last = Math.max(1, peaks.length - 1);
  const half = (value) => 50 * Math.max(LEAST, value / 255);
  const points = [...peaks].map((value, index) => [(100 * index) / last, half(value)]);
  const above = points.map(([x, y]) => `${x.toFixed(2)}% ${(50 - y).toFixed(1)}%`);
  const below = points.map(([x, y]) => `${x.toFixed(2)}% ${(50 + y).toFixed(1)}%`);
  return [...above, ...below.reverse()].join();
}
