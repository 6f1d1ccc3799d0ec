// Volume and mute.

import { h, setAttribute } from "./dom.js";
import { icon } from "./icons.js";

export function volumeControl(app) {
  const { player } = app;
  const button = h("button", {
    class: "icon-button",
    type: "button",
    "aria-label": "Mute",
    title: "Mute",
    onclick: player.mute,
  });
  const slider = h("input", {
    class: "slider volume",
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    "aria-label": "Volume",
    oninput: () => player.setVolume(Number(slider.value)),
  });
  const element = h("div", { class: "volume-line" }, button, slider);

  function refresh() {
    const volume = player.volume();
    slider.value = volume;
    element.style.setProperty("--played", `${100 * volume}%`);
    slider.setAttribute("aria-valuetext", `${Math.round(100 * volume)} percent`);
    setAttribute(button, "aria-pressed", String(volume === 0));
    button.replaceChildren(icon(volume === 0 ? "muted" : "volume"));
  }
  player.on("state", refresh);
  refresh();
  return element;
}
