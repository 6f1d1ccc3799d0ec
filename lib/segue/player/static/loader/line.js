// The line to the kernel: one websocket, opened again whenever it is lost, to a fresh kernel if the old one is gone.

import { frame, unframe } from "./frames.js";

const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const FULL_WAIT_MS = 30_000;
const ASK_MS = 10_000;
const SEAT_MS = 60_000;
const LOGGED_OUT = 4401;
const IDLE = 4408;
const FLOOD = 1008;

/**
 * States: "opening"; "open"; "away" (no server, tried again); "full" (no seat, `words` say why, tried again);
 * "out" (not logged in); "idle" (ended as nobody did anything, until something is sent).
 */
export function createLine() {
  const session = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  const line = { heard: () => {}, changed: () => {} };
  let page = null;
  let socket = null;
  let state = "opening";
  let words = "";
  let wait = 0;
  let timer = 0;
  let asking = false;
  let left = false;
  let count = 0;

  function become(next, said = "") {
    words = said;
    if (state === next) return;
    state = next;
    line.changed(state);
  }

  function connect() {
    const address = new URL(page.channels, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("session_id", session);
    const opened = new WebSocket(address, [PROTOCOL]);
    socket = opened;
    opened.binaryType = "arraybuffer";
    timer = setTimeout(renew, ASK_MS);
    opened.onopen = () => {
      clearTimeout(timer);
      become("open");
    };
    opened.onmessage = ({ data }) => hear(unframe(data));
    opened.onclose = ({ code }) => {
      if (socket === opened) lost(code);
    };
  }

  function hear({ type, content, buffers }) {
    wait = 0;
    if (type === "comm_msg" && content.comm_id === page.model) line.heard(content.data, buffers);
  }

  function lost(code) {
    clearTimeout(timer);
    socket = null;
    if (left) return;
    if (code === LOGGED_OUT) become("out");
    else if (code === IDLE) become("idle");
    else {
      if (code === FLOOD) wait = LONGEST_WAIT_MS;
      become("opening");
      later(wait);
    }
  }

  function later(pause, atLeast = pause / 2) {
    clearTimeout(timer);
    timer = setTimeout(attempt, atLeast + (pause / 2) * Math.random());
    wait = Math.min(Math.max(2 * wait, FIRST_WAIT_MS), LONGEST_WAIT_MS);
  }

  /** Ask the server what there is: the old kernel, else a fresh one. */
  async function attempt() {
    clearTimeout(timer);
    if (asking || socket || left) return;
    asking = true;
    try {
      if (page && (await isThere())) connect();
      else await sit(await ask("/", SEAT_MS, "POST"));
    } catch (failure) {
      refused(failure);
    } finally {
      asking = false;
    }
  }

  async function isThere() {
    try {
      await ask(page.channels.replace(/\/channels$/, ""), ASK_MS);
      return true;
    } catch (failure) {
      if (failure.status === 404) return false;
      throw failure;
    }
  }

  async function sit(answer) {
    const before = page;
    page = await answer.json();
    if (before && before.esm !== page.esm) window.location.reload();
    else join();
  }

  function join() {
    line.heard({ method: "update", state: page.state });
    connect();
  }

  /** Returns the answer; throws it where it is no good one, or the error where there is none. */
  async function ask(address, patience, method = "GET") {
    const signal = AbortSignal.timeout(patience);
    const answer = await fetch(address, { method, cache: "no-store", redirect: "manual", signal });
    if (answer.ok) return answer;
    if (answer.status === 429 || answer.status === 503) {
      answer.words = await answer.text();
      answer.wait = 1000 * answer.headers.get("Retry-After") || FULL_WAIT_MS;
    }
    throw answer;
  }

  function refused({ status, type, words: said, wait: told }) {
    if (status === 401 || status === 403 || type === "opaqueredirect") become("out");
    else if (said) {
      become("full", said.trim());
      later(told, told);
    } else {
      become("away");
      later(wait);
    }
  }

  /** Try at once what was to be tried later. */
  function hurry() {
    wait = 0;
    if (state !== "idle") attempt();
  }

  function renew() {
    const old = socket;
    socket = null;
    old?.close();
    hurry();
  }

  function send(data) {
    if (state === "idle") {
      become("opening");
      hurry();
    }
    if (socket?.readyState !== WebSocket.OPEN) return;
    const header = {
      msg_id: `${session}-${(count += 1)}`,
      msg_type: "comm_msg",
      session,
      username: "",
      version: "5.4",
    };
    socket.send(frame(header, { comm_id: page.model, data }));
  }

  /** The kernel ends with its page. */
  function leave() {
    left = true;
    clearTimeout(timer);
    if (page) navigator.sendBeacon(`/voila/api/shutdown/${page.kernel}`);
    renew();
  }

  function comeBack({ persisted }) {
    left = false;
    if (persisted) hurry();
  }

  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && hurry());
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", comeBack);
  return Object.assign(line, {
    send,
    renew,
    state: () => state,
    words: () => words,
    /** Begin with the kernel that the page came with; without one it asks for one. */
    begin(described) {
      page = described;
      if (page) join();
      else attempt();
    },
  });
}
