// Audio elements: the one that is heard, the one that fades out behind it, and a few that load what comes next.
// Only what is heard stands in the page: an element that is taken out of it stops.

import { h } from "./dom.js";

const LOADED_AHEAD = 2;
const FADE_STEP_MS = 40;
const CLOSE_TO_THE_END_S = 0.2;
const PASSED_ON = [
  "canplay", "durationchange", "ended", "error", "loadedmetadata", "pause", "play", "playing", "progress",
  "seeked", "timeupdate", "waiting",
];

/** `address(trackId)` is where a clip is; `heard(name)` is told what happens to the element that is heard. */
export function createDecks(address, heard) {
  const element = h("div", { hidden: true });
  const ahead = new Map();
  const idle = [];
  let now = fresh();
  let tail = null;
  let level = 1;
  let muted = false;
  element.append(now);

  function fresh() {
    const audio = h("audio", { preload: "auto" });
    for (const name of PASSED_ON) audio.addEventListener(name, () => audio === now && heard(name));
    audio.addEventListener("ended", () => audio === tail?.audio && endTail());
    return audio;
  }

  function release(audio) {
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
    audio.remove();
    idle.push(audio);
  }

  function put(audio) {
    audio.volume = level;
    audio.muted = muted;
    now = audio;
    element.prepend(audio);
  }

  /** The element in which a track is loading already; null where none is, or none that is of use. */
  function takeAhead(trackId) {
    const audio = ahead.get(trackId) ?? null;
    ahead.delete(trackId);
    if (!audio?.error) return audio;
    release(audio);
    return null;
  }

  function openNew(trackId, audio = idle.pop() ?? fresh()) {
    audio.src = address(trackId);
    return audio;
  }

  /** Hear another track from now on, and nothing else. */
  function load(trackId) {
    endTail();
    const loaded = takeAhead(trackId);
    const before = now;
    if (!loaded) openNew(trackId, now);
    else {
      put(loaded);
      release(before);
    }
  }

  /** Hear another track from now on, while what was heard plays to its end, fading for so many seconds. */
  function handOver(trackId, fade) {
    endTail();
    tail = { audio: now, fade, timer: fade ? setInterval(mix, FADE_STEP_MS) : 0 };
    put(takeAhead(trackId) ?? openNew(trackId));
    if (tail.audio.ended) endTail();
    mix();
  }

  /** Loudness follows the place in the new track, not a count of steps: a page may sleep in between. */
  function mix() {
    if (!tail?.fade) return;
    const share = Math.min(1, now.currentTime / tail.fade);
    now.volume = level * Math.sin((share * Math.PI) / 2);
    tail.audio.volume = level * Math.cos((share * Math.PI) / 2);
    if (share === 1) endTail();
  }

  function endTail() {
    if (!tail) return;
    const { audio, timer } = tail;
    clearInterval(timer);
    tail = null;
    now.volume = level;
    release(audio);
  }

  /** How far is loaded without a gap from where it plays, in seconds from the start. */
  function loadedTo(audio) {
    const ranges = audio.buffered;
    for (let index = 0; index < ranges.length; index += 1) {
      if (ranges.start(index) <= audio.currentTime + 0.1 && audio.currentTime <= ranges.end(index))
        return ranges.end(index);
    }
    return 0;
  }

  function isLoaded(audio) {
    return Number.isFinite(audio.duration) && loadedTo(audio) >= audio.duration - CLOSE_TO_THE_END_S;
  }

  /** Load the next tracks, one after the other, so that none takes the line from what is heard. */
  function prepare(trackIds) {
    const wanted = trackIds.slice(0, LOADED_AHEAD);
    for (const [trackId, audio] of [...ahead]) {
      if (wanted.includes(trackId)) continue;
      ahead.delete(trackId);
      release(audio);
    }
    for (const trackId of wanted) {
      if (!ahead.has(trackId)) ahead.set(trackId, openNew(trackId));
      if (!isLoaded(ahead.get(trackId))) return;
    }
  }

  return {
    element,
    now: () => now,
    load,
    handOver,
    endTail,
    prepare,
    isLoaded: () => isLoaded(now),
    buffered: () => loadedTo(now),
    /** Whether a track could be heard at once. */
    ready: (trackId) => (ahead.get(trackId)?.readyState ?? 0) >= HTMLMediaElement.HAVE_FUTURE_DATA,
    async play() {
      tail?.audio.play().catch(() => {});
      await now.play();
    },
    pause() {
      tail?.audio.pause();
      now.pause();
    },
    setLevel(next) {
      level = next;
      muted = false;
      for (const audio of [now, tail?.audio]) if (audio) Object.assign(audio, { volume: level, muted });
      mix();
    },
    mute() {
      muted = !muted;
      for (const audio of [now, tail?.audio]) if (audio) audio.muted = muted;
    },
    volume: () => (muted ? 0 : level),
    close() {
      endTail();
      for (const audio of ahead.values()) release(audio);
      ahead.clear();
      release(now);
    },
  };
}
