// The talk with the kernel: says hello until it is welcomed, notices silence, and says hello again to who comes after.

import { emitter } from "./emitter.js";

const HELLO_MS = 2000;
const SILENT_MS = 10_000;
const RENEW_MS = 6000;
const BLIP_MS = 1500;
const BEFORE_WELCOME = ["failed", "status"];

/**
 * States: "connecting", "here", "silent" (no answer), and those of a line of our own that is not open (the
 * server's page has one, a notebook has not): "away" (no server), "full" (no seat), "out" (not logged in), "idle".
 */
export function createLink(model) {
  const { on, emit } = emitter();
  const { line } = model;
  let state = "connecting";
  let timer = 0;
  let blip = 0;
  let since = Date.now();
  const unsaid = [];
  let welcomed = false;

  /** What is said before the welcome is said after it: until then there may be nobody to hear. */
  function send(message) {
    if (!welcomed) {
      unsaid.push(message);
      return;
    }
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
      stop();
      become("here");
    }
    if (welcomed || BEFORE_WELCOME.includes(message.type)) emit(message.type, message);
    if (welcomed) for (const each of unsaid.splice(0)) send(each);
  }

  function stop() {
    clearTimeout(timer);
    clearTimeout(blip);
    timer = 0;
  }

  /** Nobody answered for a while: ask. */
  function suspect() {
    if (timer || closed()) return;
    since = Date.now();
    hello();
  }

  function closed() {
    return line !== undefined && line.state() !== "open";
  }

  function hello() {
    timer = setTimeout(hello, HELLO_MS);
    try {
      model.send({ type: "hello" });
    } catch {
      // A closed line: the silence that follows tells the rest.
    }
    const silence = Date.now() - since;
    if (silence >= (state === "connecting" ? SILENT_MS : HELLO_MS)) become("silent");
    if (silence >= RENEW_MS) line?.renew();
  }

  /** A line that was lost is another one when it is open again, perhaps to another kernel. */
  function follow(next) {
    stop();
    if (next === "open") suspect();
    else if (next === "opening") blip = setTimeout(() => state === "here" && become("silent"), BLIP_MS);
    else become(next);
  }

  function reload() {
    emit("reload");
    window.location.reload();
  }

  model.on("msg:custom", receive);
  if (line) {
    line.changed = follow;
    // What became of it before is told when all are there to hear it.
    queueMicrotask(() => closed() && follow(line.state()));
  }
  suspect();
  return {
    on,
    send,
    suspect,
    reload,
    /** Try at once what was to be tried later. */
    again: () => (line ? line.renew() : suspect()),
    words: () => line?.words() ?? "",
    state: () => state,
    close() {
      stop();
      model.off("msg:custom", receive);
    },
  };
}
