// The line to the kernel: says hello until it is welcomed, notices silence, and finds a way back.

import { emitter } from "./emitter.js";
import { session } from "./keep.js";

const HELLO_MS = 2000;
const SILENT_MS = 10_000;
const GONE_MS = { closed: 6000, open: 30_000 };
const BEFORE_WELCOME = ["failed", "status"];
const RELOADED = "segue.reloaded";
const RELOAD_PAUSE_MS = 60_000;

/** States: "connecting", "here", "silent" (no answer), "away" (no server either), "gone" (a reload helps). */
export function createLink(model, { fullPage, healthAddress }) {
  const { on, emit } = emitter();
  let state = "connecting";
  let timer = 0;
  let since = Date.now();
  let upSince = 0;
  let welcomed = false;

  function send(message) {
    try {
      model.send(message);
    } catch {
      suspect();
    }
  }

  function become(next) {
    if (state === next) return;
    state = next;
    emit("state", state);
  }

  function receive(message) {
    if (typeof message?.type !== "string") return;
    if (message.type === "welcome") {
      welcomed = true;
      clearTimeout(timer);
      timer = 0;
      become("here");
    }
    if (welcomed || BEFORE_WELCOME.includes(message.type)) emit(message.type, message);
  }

  /** Nobody answered for a while: ask, and look whether the server is there at all. */
  function suspect() {
    if (timer) return;
    since = Date.now();
    upSince = 0;
    hello();
  }

  async function hello() {
    timer = setTimeout(hello, HELLO_MS);
    try {
      model.send({ type: "hello" });
    } catch {
      // A closed line: the silence that follows tells the rest.
    }
    if (Date.now() - since >= (state === "connecting" ? SILENT_MS : HELLO_MS)) await silent();
  }

  async function silent() {
    if (!fullPage) {
      become("silent");
      return;
    }
    const up = await serverIsUp();
    if (!timer) return;
    if (!up) {
      upSince = 0;
      become("away");
      return;
    }
    upSince ||= Date.now();
    if (Date.now() - upSince < GONE_MS[lineIsClosed() ? "closed" : "open"]) {
      if (state !== "gone") become(state === "connecting" ? "connecting" : "silent");
      return;
    }
    become("gone");
    reloadOnce();
  }

  /** A kernel that is only busy keeps its line; one that is gone has none. */
  function lineIsClosed() {
    const status = model.widget_manager?.kernel?.connectionStatus;
    return status !== undefined && status !== "connected";
  }

  async function serverIsUp() {
    try {
      const answer = await fetch(healthAddress, { cache: "no-store", signal: AbortSignal.timeout(HELLO_MS) });
      return answer.ok;
    } catch {
      return false;
    }
  }

  function reloadOnce() {
    if (Date.now() - (session.get(RELOADED) ?? 0) < RELOAD_PAUSE_MS) return;
    if (session.set(RELOADED, Date.now())) reload();
  }

  function reload() {
    emit("reload");
    window.location.reload();
  }

  model.on("msg:custom", receive);
  hello();
  return {
    on,
    send,
    suspect,
    reload,
    state: () => state,
    close() {
      clearTimeout(timer);
      model.off("msg:custom", receive);
    },
  };
}
