// The slider to seek in, over the track's outline: what was played, what is in the buffer, what is left.

import { h, setAttribute, setText } from "./dom.js";
import { clock, spoken } from "./format.js";
import { waveform } from "./waveform.js";

/** Of what plays, or of the track `cardOf()`: there `begin(position)` is called while another plays. */
export function seekBar(app, { cardOf = null, begin = null, look = "seek-line", testid = "seek" } = {}) {
  const { player } = app;
  const elapsed = h("span", { class: "time", "data-testid": cardOf ? null : "elapsed" }, "0:00");
  const total = h("span", { class: "time" }, "0:00");
  const slider = h("input", {
    class: "slider seek",
    type: "range",
    min: 0,
    max: 1,
    step: 0.1,
    value: 0,
    disabled: true,
    "data-testid": testid,
    "aria-label": cardOf ? "Seek in this track" : "Seek",
    oninput: preview,
    onchange: settle,
  });
  const wave = waveform();
  const element = h("div", { class: look }, elapsed, wave.element, slider, total);
  let dragged = false;
  let outlined = null;

  function card() {
    return cardOf ? cardOf() : (player.entry()?.card ?? null);
  }

  function plays() {
    return player.entry()?.card.track_id === card()?.track_id;
  }

  function duration() {
    return plays() ? player.duration() : (card()?.duration_s ?? 0);
  }

  function preview() {
    dragged = true;
    write(Number(slider.value));
  }

  function settle() {
    dragged = false;
    if (plays()) player.seek(Number(slider.value));
    else begin(Number(slider.value));
  }

  function write(position) {
    const all = duration();
    setText(elapsed, clock(position));
    setText(total, clock(all));
    slider.setAttribute("aria-valuetext", `${spoken(position)} of ${spoken(all)}`);
    const share = (seconds) => `${all ? (100 * Math.min(seconds, all)) / all : 0}%`;
    element.style.setProperty("--played", share(position));
    element.style.setProperty("--buffered", share(plays() ? player.buffered() : 0));
    // Not higher up: whatever inherits it is styled anew several times a second.
    if (!cardOf) element.closest(".bar")?.style.setProperty("--played", share(position));
  }

  async function outline() {
    const trackId = card()?.track_id ?? null;
    if (trackId === outlined) return;
    outlined = trackId;
    draw(null);
    const peaks = trackId === null ? null : await app.peaks.of(trackId);
    if (trackId === outlined) draw(peaks);
  }

  function draw(peaks) {
    wave.show(peaks);
    setAttribute(element, "data-wave", Boolean(peaks?.length));
  }

  function refresh() {
    outline();
    slider.disabled = !card();
    slider.max = Math.max(duration(), 0.1);
    if (dragged) return;
    const position = plays() ? player.position() : 0;
    slider.value = position;
    write(position);
  }
  player.on("time", refresh);
  player.on("track", () => {
    dragged = false;
    refresh();
  });
  return { element, refresh };
}
