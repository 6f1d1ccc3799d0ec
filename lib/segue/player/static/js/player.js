// What plays, how one track follows another, and what becomes of the music while the line is cut.

import { createDecks } from "./decks.js";
import { emitter } from "./emitter.js";
import { clamp } from "./format.js";
import { lasting } from "./keep.js";
import { createTelling } from "./telling.js";

const RESTART_AFTER_S = 3;
const FAILURES_IN_A_ROW = 3;
const AHEAD_AFTER_S = 10;
const WATCHED_S = 1.5;
const START_TAKES_S = 0.05;
const LONGEST_FADE_S = 12;
const FADE_SHARE = 1 / 3;
const VOLUME = "segue.volume";
const FADE = "segue.cross-fade";

export function createPlayer(queue, acts, { address, more, online }) {
  const { on, emit } = emitter();
  const decks = createDecks(address, heard);
  const telling = createTelling(acts);
  let entry = null;
  let startAt = 0;
  let failures = 0;
  let wanted = false;
  let awaited = false;
  let held = false;
  let endTimer = 0;
  let crossFade = clamp(Number(lasting.get(FADE)) || 0, 0, LONGEST_FADE_S);
  setVolume(lasting.get(VOLUME) ?? 0.8);

  function load(chosen, { position = 0, play = true, alreadyBegun = false } = {}) {
    decks.load(chosen.card.track_id);
    take(chosen, { position, play, alreadyBegun });
  }

  function take(chosen, { position = 0, play = true, alreadyBegun = false } = {}) {
    clearTimeout(endTimer);
    entry = chosen;
    telling.take(chosen, { position, alreadyBegun });
    startAt = position;
    wanted = play;
    awaited = held = false;
    if (decks.now().readyState >= HTMLMediaElement.HAVE_METADATA) seekToStart();
    emit("track", entry);
    if (play) start();
    emit("state");
  }

  async function start() {
    wanted = true;
    try {
      await decks.play();
    } catch (error) {
      if (error.name === "NotAllowedError") wanted = false;
      emit("state");
    }
  }

  function duration() {
    const known = decks.now().duration;
    return Number.isFinite(known) && known > 0 ? known : (entry?.card.duration_s ?? 0);
  }

  function position() {
    return startAt || decks.now().currentTime;
  }

  /** Going on before the end says something; going back does not. */
  function leave() {
    const { currentTime, ended, error } = decks.now();
    if (entry && !ended && !error && telling.leave(currentTime, duration())) emit("skipped");
  }

  function follow(chosen) {
    if (chosen) begin(chosen);
    else stop();
  }

  function begin(chosen) {
    load(chosen);
    provide();
  }

  /** There is always something to come: the round again, or what nobody queued. */
  function provide() {
    if (queue.hasNext()) return;
    if (queue.repeat() === "all") queue.again();
    else more();
  }

  function stop() {
    wanted = held = false;
    clearTimeout(endTimer);
    decks.pause();
    emit("state");
  }

  function next({ left = true } = {}) {
    provide();
    const at = reachable();
    if (at < 0 && left) {
      emit("held");
      return;
    }
    if (left) leave();
    follow(queue.next(Math.max(0, at)));
  }

  /** Which of the upcoming to go on with: while the line is cut, the first that is loaded; -1 for none. */
  function reachable() {
    if (online()) return 0;
    return queue.upcoming().findIndex(({ card }) => decks.ready(card.track_id));
  }

  /** What comes when this track ends by itself. */
  function following() {
    return queue.repeat() === "one" ? entry : queue.peek();
  }

  /** Be there when the track ends or begins to fade: what an element tells by itself comes too seldom. */
  function watchEnd() {
    clearTimeout(endTimer);
    const audio = decks.now();
    const after = following();
    if (!telling.begun() || !wanted || audio.paused || !after || !Number.isFinite(audio.duration)) return;
    if (!decks.ready(after.card.track_id)) return;
    const left = audio.duration - audio.currentTime - (fadeInto(after) || START_TAKES_S);
    if (left <= 0) goOver();
    else if (left <= WATCHED_S) endTimer = setTimeout(watchEnd, 1000 * left);
  }

  function fadeInto(after) {
    return Math.min(crossFade, FADE_SHARE * duration(), FADE_SHARE * (after.card.duration_s || Infinity));
  }

  /** Heard to the end: the next is told after that, so that the order of what is told is that of the music. */
  function goOver() {
    provide();
    const audio = decks.now();
    const again = queue.repeat() === "one";
    const at = again ? 0 : Math.max(0, reachable());
    telling.end(duration());
    const fade = Math.min(fadeInto(following() ?? entry), Math.max(0, duration() - audio.currentTime));
    const chosen = again ? entry : queue.next(at);
    if (!chosen) {
      stop();
      return;
    }
    decks.handOver(chosen.card.track_id, fade);
    take(chosen);
    provide();
  }

  function failed() {
    if (!entry || !decks.now().error) return;
    if (!online()) {
      held = wanted;
      emit("failed", { entry, online: false });
      emit("state");
      return;
    }
    failures += 1;
    emit("failed", { entry, last: failures >= FAILURES_IN_A_ROW, online: true });
    if (failures >= FAILURES_IN_A_ROW) stop();
    else if (wanted) next({ left: false });
  }

  function seekToStart() {
    if (startAt) decks.now().currentTime = Math.min(startAt, Math.max(0, duration() - 1));
    startAt = 0;
    emit("time");
  }

  function loadAhead() {
    if (!telling.begun() || !online() || !(decks.isLoaded() || decks.now().currentTime > AHEAD_AFTER_S)) return;
    const coming = queue.upcoming().slice(0, 2);
    const wantedNext = queue.repeat() === "one" ? [entry, ...coming] : coming;
    decks.prepare(wantedNext.map(({ card }) => card.track_id));
  }

  function nowPlaying() {
    failures = 0;
    held = false;
    if (telling.begin(decks.now().currentTime)) emit("begun", entry);
    emit("state");
    emit("moved");
  }

  function timePassed() {
    telling.reach(decks.now().currentTime, duration());
    loadAhead();
    watchEnd();
    emit("time");
  }

  /** What the element tells that is heard. */
  function heard(name) {
    if (name === "loadedmetadata") seekToStart();
    else if (name === "playing") nowPlaying();
    else if (name === "timeupdate") timePassed();
    else if (name === "ended") decks.now().ended && telling.begun() && goOver();
    else if (name === "error") failed();
    else if (["pause", "play", "waiting", "canplay"].includes(name)) {
      const { paused, ended, error } = decks.now();
      // Others can pause it as well: the system, or headphones that are pulled out.
      if (name === "pause" && paused && !ended && !error) wanted = false;
      emit("state");
    } else {
      if (name === "progress") loadAhead();
      else emit("moved");
      emit("time");
    }
  }

  function toggle() {
    if (!entry) {
      provide();
      awaited = !queue.hasNext() && !awaited;
      follow(queue.next());
    } else if (wanted) stop();
    else if (decks.now().error) loadAgain();
    else start();
  }

  function loadAgain() {
    load(entry, { position: position(), alreadyBegun: telling.begun() });
  }

  function setVolume(volume) {
    const level = clamp(Number(volume) || 0, 0, 1);
    decks.setLevel(level);
    lasting.set(VOLUME, level);
    emit("state");
  }

  function seek(to) {
    if (!entry) return;
    decks.endTail();
    decks.now().currentTime = clamp(to, 0, Math.max(0, duration() - 0.1));
    telling.seek(decks.now().currentTime);
    watchEnd();
    emit("time");
  }

  return {
    on,
    element: decks.element,
    seek,
    next,
    duration,
    position,
    judge: telling.judge,
    setVolume,
    toggle,
    entry: () => entry,
    /** Seconds from the start that are in the buffer around the present position. */
    buffered: decks.buffered,
    playing: () => wanted && (held || !decks.now().error),
    waiting() {
      const { paused, readyState } = decks.now();
      return awaited || held || (wanted && !paused && readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
    },
    volume: decks.volume,
    play: () => wanted || toggle(),
    pause: () => wanted && stop(),
    crossFade: () => crossFade,
    /** Seconds in which a track fades into the next, 0 for none; at most a third of either is used. */
    setCrossFade(seconds) {
      crossFade = clamp(Number(seconds) || 0, 0, LONGEST_FADE_S);
      lasting.set(FADE, crossFade);
    },
    /** Play one of a list and queue what stands after it. */
    playFrom(entries, index) {
      leave();
      begin(queue.start(entries, index));
    },
    jump(index) {
      leave();
      begin(queue.jump(index));
    },
    /** Play was asked for before there was anything to play. */
    beginIfAwaited() {
      if (!awaited) return;
      awaited = false;
      if (!entry) provide();
      if (entry ? !wanted : queue.hasNext()) toggle();
      else emit("state");
    },
    /** The line is there again: go on where the sound broke off. */
    comeBack() {
      if (held && wanted && decks.now().error) loadAgain();
    },
    previous() {
      if (!entry) return;
      if (decks.now().currentTime > RESTART_AFTER_S || !queue.hasPrevious()) seek(0);
      else follow(queue.previous());
    },
    mute() {
      decks.mute();
      emit("state");
    },
    resume(saved) {
      load(queue.current(), { position: saved.position, play: saved.playing, alreadyBegun: saved.begun });
      if (saved.liked) telling.judge(entry.card.track_id, "like");
      provide();
    },
    snapshot() {
      if (!entry) return null;
      return { position: position(), playing: wanted, begun: telling.begun(), liked: telling.liked() };
    },
    close() {
      clearTimeout(endTimer);
      decks.close();
    },
  };
}
