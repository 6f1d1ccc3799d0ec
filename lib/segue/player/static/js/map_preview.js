// What is under the pointer is heard quietly after a moment, never before the visitor's first click.

import { lasting } from "./keep.js";

const AFTER_MS = 300;
const LASTS_MS = 15_000;
const QUIET = 0.6;
const BEHIND = 0.15;
const BEGINS_AT = 1 / 3;
const WANTED = "segue.map-preview";
const GESTURES = ["pointerdown", "keydown"];

export function createMapPreview(app) {
  const audio = new Audio();
  const behind = new Map();
  let heard = null;
  let touched = false;
  let timer = 0;
  let enabled = lasting.get(WANTED) !== false;

  /** `trackId` is what the pointer rests on, null for nothing. */
  function rest(trackId) {
    if (trackId === heard) return;
    stop();
    heard = trackId;
    if (trackId !== null) timer = setTimeout(start, AFTER_MS);
  }

  async function start() {
    const { welcome } = app.state;
    if (!enabled || !touched || !welcome || document.visibilityState !== "visible") return;
    if (heard === app.player.entry()?.card.track_id) return;
    audio.src = welcome.audio.prefix + heard + welcome.audio.suffix;
    audio.volume = QUIET * app.player.volume();
    timer = setTimeout(stop, LASTS_MS);
    try {
      await audio.play();
    } catch {
      // Left in the meantime, or a clip that cannot be played: a preview needs no words.
    }
  }

  function begin() {
    if (Number.isFinite(audio.duration)) audio.currentTime = BEGINS_AT * audio.duration;
  }

  /** What plays goes on behind it, and comes back as loud as it was unless somebody has set it meanwhile. */
  function stepBack() {
    if (behind.size) return;
    for (const playing of app.player.element.querySelectorAll("audio")) {
      behind.set(playing, playing.volume);
      playing.volume *= BEHIND;
    }
  }

  function comeForth() {
    for (const [playing, volume] of behind)
      if (Math.abs(playing.volume - BEHIND * volume) < 0.01) playing.volume = volume;
    behind.clear();
  }

  function stop() {
    clearTimeout(timer);
    comeForth();
    heard = null;
    if (!audio.hasAttribute("src")) return;
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
  }

  /** Browsers let a page sound after a click or a key; another page's does not count here. */
  function touch() {
    touched = true;
    for (const name of GESTURES) window.removeEventListener(name, touch, true);
  }

  for (const name of GESTURES) window.addEventListener(name, touch, true);
  audio.addEventListener("loadedmetadata", begin);
  audio.addEventListener("playing", stepBack);
  const off = app.player.on("track", stop);
  return {
    rest,
    stop,
    enabled: () => enabled,
    enable(wanted) {
      enabled = wanted;
      lasting.set(WANTED, wanted);
      stop();
    },
    close() {
      off();
      touch();
      stop();
    },
  };
}
