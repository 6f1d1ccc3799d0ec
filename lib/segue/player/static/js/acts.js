// What the listener does, as messages; and what each was, for the line that says why the list changed.

import { clamp } from "./format.js";
import { session } from "./keep.js";

const REMEMBERED = 60;
const TOLD = "segue.told";
const PICK_MS = 2000;

export function createActs(outbox) {
  const told = new Map(session.get(TOLD) ?? []);
  let liked = { track: null, at: 0 };

  function act(kind, card, { position = 0, source = {}, value = null } = {}) {
    const message = {
      type: "act",
      event_id: newId(),
      track_id: card.track_id,
      kind,
      position_s: Number.isFinite(position) ? Math.round(clamp(position, 0, 86_400) * 1000) / 1000 : 0,
      source: {
        list: source.list ?? "",
        model: source.model ?? "",
        recommendation_id: source.recommendation_id ?? null,
      },
      at: new Date().toISOString(),
    };
    if (value !== null) message.value = value;
    if (kind !== "impression") remember(message.event_id, { kind: meaning(kind, card), title: card.title });
    outbox.add(message);
    return message;
  }

  /** A pick plays and likes at once, and it was the like. */
  function meaning(kind, { track_id: track }) {
    const at = Date.now();
    if (kind === "like") liked = { track, at };
    return kind === "play" && liked.track === track && at - liked.at < PICK_MS ? "like" : kind;
  }

  function remember(eventId, deed) {
    told.set(eventId, deed);
    while (told.size > REMEMBERED) told.delete(told.keys().next().value);
    session.set(TOLD, [...told]);
  }

  return { act, told: (eventId) => told.get(eventId) ?? null };
}

// Ordered by time (RFC 9562, version 7): the store appends what comes in order, and seeks a place for the rest.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | BigInt((bytes[6] << 8) | bytes[7]));
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
