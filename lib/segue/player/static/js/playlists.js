// This listener's playlists, as far as the page knows them; the kernel keeps them, and says what stands.

import { newId } from "./acts.js";
import { emitter } from "./emitter.js";

export function createPlaylists(app) {
  const { on, emit } = emitter();
  let listed = null;

  /** All playlists, the last changed first, without tracks: {playlist_id, name, version, count, first}. */
  async function list() {
    return take(await app.ask("playlists"));
  }

  function take(told) {
    app.learn(told.tracks);
    listed = told.playlists;
    emit("list", listed);
    return listed;
  }

  /** One playlist: {playlist_id, name, version, track_ids}; `track_ids` is null for one that is not there. */
  async function read(id) {
    const told = await app.ask("read_playlist", { playlist_id: id }, "playlist");
    app.learn(told.tracks);
    return told;
  }

  async function change(type, id, fields) {
    const told = await app.ask(type, { playlist_id: id, ...fields }, "playlist");
    emit("change", told);
    return told;
  }

  const idsOf = (cards) => [...new Set(cards.map((card) => card.track_id))];

  return {
    on,
    list,
    read,
    listed: () => listed,
    make: (name, trackIds, id = newId()) => change("make_playlist", id, { name, tracks: trackIds }),
    rename: (id, name) => change("rename_playlist", id, { name }),
    add: (id, cards) => change("add_to_playlist", id, { tracks: idsOf(cards) }),
    takeOut: (id, trackIds) => change("remove_from_playlist", id, { tracks: trackIds }),
    move: (id, trackId, before) => change("move_in_playlist", id, { track_id: trackId, before }),
    async remove(id, version) {
      take(await app.ask("delete_playlist", { playlist_id: id, version }, "playlists"));
    },
  };
}
