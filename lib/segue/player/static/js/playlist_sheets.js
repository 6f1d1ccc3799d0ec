// Sheets that ask for a playlist's name, or into which playlist tracks shall go.

import { h, setText } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { sheet } from "./sheets.js";

const LONGEST_NAME = 100;

/** `choose(cards, {name})` asks into which playlist they go; a new one may be called `name`. */
export function playlistPicker(app) {
  const name = nameField("New playlist", "picker-name");
  const make = h(
    "button",
    { class: "button main-button", type: "submit", "data-testid": "picker-make" },
    "Make",
  );
  const list = h("ul", { class: "picker-list", "data-testid": "picker-list" });
  const words = h("p", { class: "quiet", role: "status" });
  const form = h("form", { class: "name-form", onsubmit: begin }, name.element, make);
  const made = sheet("Add to playlist", h("div", { class: "picker" }, form, words, list));
  let cards = [];

  function choose(chosen, { name: suggested = "" } = {}) {
    cards = chosen;
    name.input.value = suggested;
    app.root.append(made.element);
    setText(words, "Looking for your playlists …");
    list.replaceChildren();
    made.open();
    name.input.focus();
    name.input.select();
    look();
  }

  async function look() {
    try {
      const found = await app.playlists.list();
      setText(words, found.length ? "Or one of yours:" : "");
      list.replaceChildren(...found.map(entry));
    } catch (error) {
      setText(words, error.message);
    }
  }

  function entry(playlist) {
    return h(
      "li",
      {},
      h(
        "button",
        { class: "menu-item", type: "button", onclick: () => put(playlist) },
        icon("playlist"),
        h("span", { class: "picker-title" }, playlist.name),
        h("span", { class: "quiet" }, count(playlist.count, "track")),
      ),
    );
  }

  async function put(playlist) {
    await act(async () => {
      const told = await app.playlists.add(playlist.playlist_id, cards);
      const added = told.track_ids.length - playlist.count;
      app.say(added ? `${what(added)} in ${told.name} now` : `${told.name} had ${what(cards.length)} before`);
    });
  }

  function begin(event) {
    event.preventDefault();
    const wanted = name.input.value.trim();
    if (!wanted) return;
    act(async () => {
      const told = await app.playlists.make(wanted, [...new Set(cards.map((card) => card.track_id))]);
      app.say(`${told.name} is made`);
    });
  }

  function what(number) {
    return cards.length === 1 ? cards[0].title : count(number, "track");
  }

  async function act(change) {
    make.disabled = true;
    try {
      await change();
      made.close();
    } catch (error) {
      setText(words, error.message);
    } finally {
      make.disabled = false;
    }
  }

  return { choose };
}

/** `ask(value)` resolves with a name, or with null when the sheet is left. */
export function nameSheet(app, heading) {
  const name = nameField("Name", "playlist-name");
  const form = h(
    "form",
    { class: "name-form", onsubmit: take },
    name.element,
    h("button", { class: "button main-button", type: "submit" }, "Keep"),
  );
  const made = sheet(heading, form);
  let answer = null;
  made.element.addEventListener("close", () => settle(null));

  function settle(value) {
    answer?.(value);
    answer = null;
  }

  function take(event) {
    event.preventDefault();
    const wanted = name.input.value.trim();
    if (!wanted) return;
    settle(wanted);
    made.close();
  }

  return {
    ask(value = "") {
      settle(null);
      name.input.value = value;
      app.root.append(made.element);
      made.open();
      name.input.focus();
      name.input.select();
      return new Promise((resolve) => (answer = resolve));
    },
  };
}

function nameField(words, testid) {
  const input = h("input", {
    class: "name-input",
    type: "text",
    maxlength: LONGEST_NAME,
    required: true,
    pattern: ".*\\S.*",
    title: "A name of one letter or more",
    autocomplete: "off",
    "data-testid": testid,
  });
  return { input, element: h("label", { class: "name-label" }, h("span", { class: "quiet" }, words), input) };
}
