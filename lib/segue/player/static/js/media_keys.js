// What the system shows of the player, and its media keys.

export function mediaKeys(app) {
  const media = navigator.mediaSession;
  if (!media) return { close() {} };
  const { player } = app;
  const handlers = {
    play: player.toggle,
    pause: player.toggle,
    previoustrack: player.previous,
    nexttrack: () => player.next(),
    seekto: ({ seekTime }) => player.seek(seekTime),
    seekbackward: ({ seekOffset }) => player.seek(player.position() - (seekOffset ?? 5)),
    seekforward: ({ seekOffset }) => player.seek(player.position() + (seekOffset ?? 5)),
  };
  for (const [name, handler] of Object.entries(handlers)) handle(name, handler);

  function handle(name, handler) {
    try {
      media.setActionHandler(name, handler);
    } catch {
      // A browser that does not know an action goes without it.
    }
  }

  player.on("track", ({ card }) => {
    media.metadata = new MediaMetadata({ title: card.title, artist: card.artist, album: card.album });
  });
  player.on("state", () => {
    media.playbackState = !player.entry() ? "none" : player.playing() ? "playing" : "paused";
  });
  player.on("time", () => {
    const duration = player.duration();
    if (duration > 0) media.setPositionState?.({ duration, position: Math.min(player.position(), duration) });
  });
  return {
    close() {
      for (const name of Object.keys(handlers)) handle(name, null);
      media.metadata = null;
    },
  };
}
