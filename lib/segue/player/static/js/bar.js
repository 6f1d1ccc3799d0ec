// The bar that is always there: what plays, whose it is, and the controls. On a narrow page it opens to the full.

import { writeAddress } from "./address.js";
import { h, setAttribute, setText } from "./dom.js";
import { icon } from "./icons.js";
import { followLink } from "./page_link.js";
import { soundPrint } from "./print.js";
import { rightsOf } from "./rights.js";
import { opinionButtons, refreshButton } from "./row.js";
import { seekBar } from "./seek.js";
import { fadeInWords } from "./sheets.js";
import { printInWords } from "./sound.js";
import { volumeControl } from "./volume.js";

export function playerBar(app) {
  const { player, queue } = app;
  const card = () => player.entry()?.card ?? null;
  const print = h("span", { class: "bar-picture" });
  const opener = h("button", {
    class: "bar-open",
    type: "button",
    "aria-label": "Open the player",
    "aria-expanded": "false",
    onclick: () => open(true),
  });
  const title = h("a", { class: "now-title", "data-testid": "now-title", onclick: goToTrack });
  const artist = h("a", { class: "now-artist", "data-testid": "now-artist", onclick: goToArtist });
  const licence = h("span", { class: "licence", "data-testid": "licence" });
  const play = control("play", "Play", player.toggle);
  const previous = control("previous", "Previous", player.previous, "Shift+←");
  const next = control("next", "Next", () => player.next(), "Shift+→");
  const shuffle = control("shuffle", "Shuffle", () => queue.setShuffle(!queue.shuffled()));
  const repeat = control("repeat", "Repeat: off", queue.turnRepeat);
  const opinions = opinionButtons(
    app,
    card,
    () => ({ position: player.position(), source: player.entry().source }),
    "now-",
  );
  const more = h(
    "button",
    {
      class: "icon-button now-more",
      type: "button",
      "data-testid": "now-more",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": "More",
      title: "More",
      onclick: openMenu,
    },
    icon("more"),
  );
  const list = h(
    "button",
    {
      class: "icon-button queue-button",
      type: "button",
      "aria-label": "Up next",
      title: "Up next",
      "aria-expanded": "false",
      onclick: () => app.showUpNext(),
    },
    icon("queue"),
  );
  const shut = h(
    "button",
    {
      class: "icon-button bar-shut",
      type: "button",
      "aria-label": "Close the player",
      onclick: () => open(false),
    },
    icon("down"),
  );
  const seek = seekBar(app);
  const words = h("div", { class: "bar-words" }, title, h("div", { class: "bar-about" }, artist, licence));
  const element = h(
    "section",
    { class: "bar", "aria-label": "Player" },
    shut,
    h("div", { class: "bar-track" }, h("div", { class: "bar-print" }, print, opener), words),
    h(
      "div",
      { class: "bar-middle" },
      h("div", { class: "bar-controls" }, shuffle, previous, play, next, repeat),
      seek.element,
    ),
    h("div", { class: "bar-side" }, ...opinions, more, list, volumeControl(app)),
  );

  function control(name, label, act, key = "") {
    return h(
      "button",
      {
        class: `icon-button control-${name}`,
        type: "button",
        "data-testid": name,
        "aria-label": label,
        title: key ? `${label} (${key})` : label,
        onclick: act,
      },
      icon(name),
    );
  }

  function openMenu() {
    const fade = {
      label: `Cross-fade: ${fadeInWords(player.crossFade())}`,
      picture: "fade",
      act: app.showCrossFade,
    };
    const entry = player.entry();
    if (entry) app.trackMenu(more, entry, [fade]);
    else app.menus.open(more, [fade], "More");
  }

  function goToTrack(event) {
    if (card()) followLink(app, event, "track", { about: card().track_id });
  }

  function goToArtist(event) {
    if (card()?.artist) followLink(app, event, "artist", { about: card().artist });
  }

  function isOpen() {
    return app.root.hasAttribute("data-bar-open");
  }

  function open(full) {
    setAttribute(app.root, "data-bar-open", full);
    setAttribute(opener, "aria-expanded", String(full));
    if (full) shut.focus();
    else opener.focus();
    app.cover(full);
  }

  function showTrack() {
    const now = card();
    setAttribute(element, "data-empty", !now);
    setText(title, now ? now.title : "Nothing plays yet");
    setAttribute(title, "href", now ? writeAddress({ name: "track", about: String(now.track_id) }) : null);
    setText(artist, now ? now.artist : "Pick a track to begin");
    setAttribute(artist, "href", now?.artist ? writeAddress({ name: "artist", about: now.artist }) : null);
    print.replaceChildren(
      now ? soundPrint(now.print, printInWords(now.print)) : h("span", { class: "print-blank" }),
    );
    licence.replaceChildren(...(now ? rightsOf(now) : []));
    showState();
  }

  function showState() {
    const playing = player.playing();
    play.replaceChildren(icon(playing ? "pause" : "play"));
    setAttribute(play, "aria-label", playing ? "Pause" : "Play");
    setAttribute(play, "title", `${playing ? "Pause" : "Play"} (Space)`);
    setAttribute(element, "aria-busy", player.waiting() ? "true" : null);
    previous.disabled = !card();
    next.disabled = !card();
    showOrder();
    opinions.forEach(refreshButton);
    seek.refresh();
  }

  function showOrder() {
    const kind = queue.repeat();
    setAttribute(shuffle, "aria-pressed", String(queue.shuffled()));
    setAttribute(repeat, "aria-pressed", String(kind !== "off"));
    setAttribute(repeat, "aria-label", `Repeat: ${kind}`);
    setAttribute(repeat, "title", `Repeat: ${kind}`);
    repeat.replaceChildren(icon(kind === "one" ? "repeatOne" : "repeat"));
  }

  player.on("track", showTrack);
  player.on("state", showState);
  queue.on("change", showState);
  app.opinions.on("change", showState);
  showTrack();
  return { element, isOpen, open, list };
}
