// Where this page was, for the moment after a reload.

import { session } from "./keep.js";

const EVERY_MS = 5000;

export function keepPlace(queue, player) {
  let key = null;

  function save() {
    const at = player.snapshot();
    if (key && at) session.set(key, { ...at, queue: queue.snapshot() });
  }

  function restore(name) {
    key = `segue.place/${name}`;
    const saved = session.get(key);
    if (!saved?.queue?.current || player.entry()) return;
    queue.restore(saved.queue);
    player.resume(saved);
  }

  const timer = setInterval(() => player.playing() && save(), EVERY_MS);
  player.on("track", save);
  queue.on("change", save);
  window.addEventListener("pagehide", save);
  return {
    save,
    restore,
    forget: () => (key = null),
    close() {
      clearInterval(timer);
      window.removeEventListener("pagehide", save);
    },
  };
}
