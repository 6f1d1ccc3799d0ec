// What the system shows of the player, and its media keys.

import { printPicture } from "./print_picture.js";

const OFFSET_S = 5;

export function mediaKeys(app) {
  const media = navigator.mediaSession;
  if (!media) return { close() {} };
  const { player } = app;
  let drawing = 0;
  const handlers = {
    play: player.play,
    pause: player.pause,
    stop: player.pause,
    previoustrack: player.previous,
    nexttrack: () => player.entry() && player.next(),
    seekto: ({ seekTime }) => player.seek(seekTime),
    seekbackward: ({ seekOffset }) => player.seek(player.position() - (seekOffset || OFFSET_S)),
    seekforward: ({ seekOffset }) => player.seek(player.position() + (seekOffset || OFFSET_S)),
  };
  for (const [name, handler] of Object.entries(handlers)) handle(name, handler);

  function handle(name, handler) {
    try {
      media.setActionHandler(name, handler);
    } catch {
      // A browser that does not know an action goes without it.
    }
  }

  function showTrack({ card }) {
    const { title, artist, album } = card;
    media.metadata = new MediaMetadata({ title, artist, album });
    clearTimeout(drawing);
    drawing = setTimeout(draw, 0, card.print);
    showPlace();
  }

  /** After the click that began it: a picture takes a while. */
  function draw(print) {
    media.metadata.artwork = [printPicture(print)];
  }

  function showState() {
    media.playbackState = !player.entry() ? "none" : player.playing() ? "playing" : "paused";
    showPlace();
  }

  /** From here on the system counts by itself, so it is told of changes only. */
  function showPlace() {
    const duration = player.duration();
    if (duration > 0) media.setPositionState?.({ duration, position: Math.min(player.position(), duration) });
    else media.setPositionState?.();
  }

  const ends = [player.on("track", showTrack), player.on("state", showState), player.on("moved", showPlace)];
  return {
    close() {
      clearTimeout(drawing);
      for (const end of ends) end();
      for (const name of Object.keys(handlers)) handle(name, null);
      media.metadata = null;
      media.playbackState = "none";
    },
  };
}
