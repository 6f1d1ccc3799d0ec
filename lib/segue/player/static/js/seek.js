// The slider to seek in: what was played, what is in the buffer, what is left.

import { h, setText } from "./dom.js";
import { clock, spoken } from "./format.js";

export function seekBar(app) {
  const { player } = app;
  const elapsed = h("span", { class: "time", "data-testid": "elapsed" }, "0:00");
  const total = h("span", { class: "time" }, "0:00");
  const slider = h("input", {
    class: "slider seek",
    type: "range",
    min: 0,
    max: 1,
    step: 0.1,
    value: 0,
    disabled: true,
    "data-testid": "seek",
    "aria-label": "Seek",
    oninput: preview,
    onchange: settle,
  });
  const element = h("div", { class: "seek-line" }, elapsed, slider, total);
  let dragged = false;

  function preview() {
    dragged = true;
    write(Number(slider.value));
  }

  function settle() {
    dragged = false;
    player.seek(Number(slider.value));
  }

  function write(position) {
    const duration = player.duration();
    setText(elapsed, clock(position));
    setText(total, clock(duration));
    slider.setAttribute("aria-valuetext", `${spoken(position)} of ${spoken(duration)}`);
    const share = (seconds) => `${duration ? (100 * Math.min(seconds, duration)) / duration : 0}%`;
    element.style.setProperty("--played", share(position));
    element.style.setProperty("--buffered", share(player.buffered()));
    app.root.style.setProperty("--played", share(position));
  }

  function refresh() {
    slider.disabled = !player.entry();
    slider.max = Math.max(player.duration(), 0.1);
    if (dragged) return;
    slider.value = player.position();
    write(player.position());
  }
  player.on("time", refresh);
  player.on("track", () => {
    dragged = false;
    refresh();
  });
  return { element, refresh };
}
