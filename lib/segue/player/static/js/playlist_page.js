// One playlist: play it, change its order, take tracks out, export it.

import { h, setText } from "./dom.js";
import { albumAndGenre, tracksAndTime } from "./format.js";
import { icon } from "./icons.js";
import { trackList } from "./list.js";
import { jspfOf, m3uOf, saveFile } from "./playlist_files.js";
import { nameSheet } from "./playlist_sheets.js";
import { reorderable } from "./reorder.js";

const PLAYLIST_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function playlistPage(app) {
  const naming = nameSheet(app, "Rename the playlist");
  const title = h("h1", { class: "page-title" }, "Playlist");
  const tally = h("p", { class: "live-line", role: "status" });
  const play = action("play", "Play", () => app.player.playFrom(list.items(), 0), "main-button");
  const more = h(
    "div",
    { class: "page-actions", hidden: true, "data-testid": "playlist-actions" },
    play,
    action("edit", "Rename", rename),
    action("download", "Export", chooseFile, "", { "aria-haspopup": "menu", "aria-expanded": "false" }),
    action("remove", "Delete", remove),
  );
  const list = trackList(app, { label: "Tracks", testid: "playlist-tracks" });
  const hint = h(
    "p",
    { class: "quiet", hidden: true },
    "Drag a track by its print to move it, or press Alt and ↑ or ↓ on it.",
  );
  const element = h("div", { class: "view view-playlist" }, title, tally, more, list.element, hint);
  reorderable(list.element.querySelector(".rows"), move);
  let id = "";
  let playlist = null;

  function action(picture, words, act, look = "", more = {}) {
    const press = (event) => act(event.currentTarget);
    const attributes = { class: `button ${look}`, type: "button", onclick: press, ...more };
    return h("button", attributes, icon(picture), words);
  }

  async function load() {
    const asked = id;
    if (playlist?.playlist_id !== id) {
      playlist = null;
      more.hidden = hint.hidden = true;
      setText(title, "Playlist");
      setText(tally, "");
      list.loading(6);
    }
    try {
      const told = PLAYLIST_ID.test(asked)
        ? await app.playlists.read(asked)
        : { playlist_id: asked, track_ids: null };
      if (asked === id) take(told);
    } catch (error) {
      if (asked === id && !playlist) list.failed(error.message, { label: "Try again", act: load });
    }
  }

  function take(told) {
    if (told.playlist_id !== id) return;
    playlist = told;
    if (!told.track_ids) {
      more.hidden = hint.hidden = true;
      list.empty("This playlist is not there any more.", { label: "Your playlists", act: toPlaylists });
      return;
    }
    setText(title, told.name);
    app.nameWindow();
    const cards = told.track_ids.map((each) => app.cards.get(each)).filter(Boolean);
    const gone = told.track_ids.length - cards.length;
    setText(tally, [tracksAndTime(cards), gone && `${gone} not here any more`].filter(Boolean).join(" · "));
    more.hidden = false;
    hint.hidden = cards.length < 2;
    play.disabled = cards.length === 0;
    if (cards.length) list.show(cards.map(item));
    else
      list.empty("Nothing is in it yet: add tracks from their menus.", {
        label: "Find music",
        act: () => app.go("find"),
      });
  }

  function item(card) {
    return {
      card,
      source: { list: "playlist" },
      why: { text: albumAndGenre(card) },
      choices: () => [
        { label: "Move up", picture: "up", act: () => step(card.track_id, -1) },
        { label: "Move down", picture: "down", act: () => step(card.track_id, 1) },
        { label: "Take out of the playlist", picture: "remove", act: () => takeOut(card) },
      ],
    };
  }

  /** Ask for a change; what then stands comes back with its answer. */
  async function change(asked) {
    try {
      take(await asked);
    } catch (error) {
      app.say(error.message);
      load();
    }
  }

  function shown() {
    return list.items().map(({ card }) => card.track_id);
  }

  function move(trackId, before) {
    change(app.playlists.move(id, trackId, before));
  }

  function step(trackId, by) {
    const others = shown();
    const at = others.indexOf(trackId);
    const to = at + by;
    if (at < 0 || to < 0 || to >= others.length) return;
    move(trackId, others[by > 0 ? to + 1 : to] ?? null);
  }

  function takeOut(card) {
    change(app.playlists.takeOut(id, [card.track_id]));
  }

  async function rename() {
    const own = id;
    const name = await naming.ask(playlist.name);
    if (name) change(app.playlists.rename(own, name));
  }

  async function remove() {
    const { playlist_id, version, name, track_ids } = playlist;
    try {
      await app.playlists.remove(playlist_id, version);
    } catch (error) {
      app.say(error.message);
      load();
      return;
    }
    toPlaylists();
    app.say(`${name} is deleted`, { label: "Undo", act: () => undo(name, track_ids) });
  }

  async function undo(name, trackIds) {
    try {
      const { playlist_id } = await app.playlists.make(name, trackIds);
      app.go("playlist", { about: playlist_id });
    } catch (error) {
      app.say(error.message, { label: "Try again", act: () => undo(name, trackIds) });
    }
  }

  function chooseFile(button) {
    const cards = list.items().map(({ card }) => card);
    const { audio, listener } = app.state.welcome;
    const address = (trackId) => new URL(audio.prefix + trackId, window.location.href).href;
    const { name } = playlist;
    const m3u = () => saveFile(name, "m3u", "audio/x-mpegurl", m3uOf(name, cards, address));
    const jspf = () =>
      saveFile(name, "jspf", "application/jspf+json", jspfOf(name, cards, address, listener.name));
    app.menus.open(
      button,
      [
        { label: "M3U, for most players", picture: "download", act: m3u },
        { label: "JSPF, with licences", picture: "download", act: jspf },
      ],
      "Export",
    );
  }

  function toPlaylists() {
    app.go("library", { about: "playlists" });
  }

  app.playlists.on("change", (told) => !element.hidden && told !== playlist && take(told));
  app.state.on("link", (state) => state === "here" && !element.hidden && load());
  return {
    element,
    get title() {
      return playlist?.name ?? "Playlist";
    },
    place: "library",
    shown({ about }) {
      id = about;
      load();
    },
    close() {
      list.close();
    },
  };
}
