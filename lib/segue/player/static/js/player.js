// One audio element and what it tells: play, progress, complete and skip, each with where in the track.

import { h } from "./dom.js";
import { emitter } from "./emitter.js";
import { clamp } from "./format.js";
import { lasting } from "./keep.js";

const PROGRESS_S = 15;
const HEARD_ENOUGH = 0.8;
const RESTART_AFTER_S = 3;
const FAILURES_IN_A_ROW = 3;
const VOLUME = "segue.volume";

export function createPlayer(queue, acts, { address, more, online }) {
  const { on, emit } = emitter();
  const audio = h("audio", { preload: "auto" });
  let entry = null;
  let begun = false;
  let toldAt = 0;
  let startAt = 0;
  let failures = 0;
  let wanted = false;
  let awaited = false;
  setVolume(lasting.get(VOLUME) ?? 0.8);

  function load(chosen, { position = 0, play = true, alreadyBegun = false } = {}) {
    entry = chosen;
    begun = alreadyBegun;
    toldAt = position;
    startAt = position;
    wanted = play;
    awaited = false;
    audio.src = address(entry.card.track_id);
    emit("track", entry);
    if (play) start();
    emit("state");
  }

  async function start() {
    wanted = true;
    try {
      await audio.play();
    } catch (error) {
      if (error.name === "NotAllowedError") wanted = false;
      emit("state");
    }
  }

  function tell(kind, position = audio.currentTime) {
    acts.act(kind, entry.card, { position, source: entry.source });
  }

  function duration() {
    return Number.isFinite(audio.duration) && audio.duration > 0
      ? audio.duration
      : (entry?.card.duration_s ?? 0);
  }

  /** Going on before the end says something; going back does not. */
  function leave() {
    if (!entry || !begun || audio.ended || audio.error) return;
    const enough = audio.currentTime >= HEARD_ENOUGH * duration();
    tell(enough ? "progress" : "skip");
    if (!enough) emit("skipped");
  }

  function follow(chosen) {
    if (chosen) begin(chosen);
    else stop();
  }

  function begin(chosen) {
    load(chosen);
    if (!queue.hasNext()) more();
  }

  function stop() {
    wanted = false;
    audio.pause();
    emit("state");
  }

  function next({ left = true } = {}) {
    if (left) leave();
    if (!queue.hasNext()) more();
    follow(queue.next());
  }

  function failed() {
    if (!entry || !audio.error) return;
    failures += 1;
    emit("failed", { entry, last: failures >= FAILURES_IN_A_ROW, online: online() });
    if (failures >= FAILURES_IN_A_ROW || !online()) stop();
    else if (wanted) next({ left: false });
  }

  audio.addEventListener("loadedmetadata", () => {
    if (startAt) audio.currentTime = Math.min(startAt, Math.max(0, duration() - 1));
    startAt = 0;
    emit("time");
  });
  audio.addEventListener("playing", () => {
    failures = 0;
    if (!begun) {
      begun = true;
      tell("play");
      emit("begun", entry);
    }
    emit("state");
  });
  audio.addEventListener("timeupdate", () => {
    if (begun && audio.currentTime - toldAt >= PROGRESS_S && duration() - audio.currentTime > 1) {
      toldAt = audio.currentTime;
      tell("progress");
    }
    emit("time");
  });
  audio.addEventListener("ended", () => {
    tell("complete", duration());
    begun = false;
    toldAt = 0;
    next({ left: false });
  });
  audio.addEventListener("error", failed);
  for (const name of ["pause", "play", "waiting", "volumechange"])
    audio.addEventListener(name, () => emit("state"));
  for (const name of ["progress", "durationchange", "seeked"])
    audio.addEventListener(name, () => emit("time"));

  function toggle() {
    if (!entry) {
      more();
      awaited = !queue.hasNext() && !awaited;
      follow(queue.next());
    } else if (wanted) stop();
    else if (audio.error) load(entry, { position: audio.currentTime, alreadyBegun: begun });
    else start();
  }

  function setVolume(volume) {
    audio.volume = clamp(volume, 0, 1);
    audio.muted = false;
    lasting.set(VOLUME, audio.volume);
  }

  function seek(position) {
    if (!entry) return;
    audio.currentTime = clamp(position, 0, Math.max(0, duration() - 0.1));
    toldAt = audio.currentTime;
    emit("time");
  }

  return {
    on,
    element: audio,
    seek,
    next,
    duration,
    setVolume,
    entry: () => entry,
    position: () => startAt || audio.currentTime,
    /** Seconds from the start that are in the buffer around the present position. */
    buffered() {
      const ranges = audio.buffered;
      for (let index = 0; index < ranges.length; index += 1) {
        if (ranges.start(index) <= audio.currentTime + 0.1 && audio.currentTime <= ranges.end(index))
          return ranges.end(index);
      }
      return 0;
    },
    playing: () => wanted && !audio.error,
    waiting: () =>
      awaited || (wanted && !audio.paused && audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA),
    volume: () => (audio.muted ? 0 : audio.volume),
    /** Play one of a list and queue what stands after it. */
    playFrom(entries, index) {
      leave();
      begin(queue.start(entries, index));
    },
    jump(index) {
      leave();
      begin(queue.jump(index));
    },
    toggle,
    /** Play was asked for before there was anything to play. */
    beginIfAwaited() {
      if (!awaited) return;
      awaited = false;
      if (!entry) more();
      if (entry ? !wanted : queue.hasNext()) toggle();
      else emit("state");
    },
    previous() {
      if (audio.currentTime > RESTART_AFTER_S || !queue.hasPrevious()) seek(0);
      else follow(queue.previous());
    },
    mute() {
      audio.muted = !audio.muted;
    },
    resume(saved) {
      load(queue.current(), { position: saved.position, play: saved.playing, alreadyBegun: saved.begun });
    },
    snapshot: () => (entry ? { position: startAt || audio.currentTime, playing: wanted, begun } : null),
    close() {
      audio.pause();
      audio.removeAttribute("src");
      audio.load();
    },
  };
}
