// One track: its print, where one is in it, whose it is, how it sounds, and what each model finds near it.

import { h, setAttribute, setText } from "./dom.js";
import { icon } from "./icons.js";
import { stated } from "./list.js";
import { nearColumns } from "./near.js";
import { artistLink, pageLink } from "./page_link.js";
import { soundPrint } from "./print.js";
import { licenceOf } from "./rights.js";
import { composedMark, moreButton, onRefresh, opinionButtons, refreshButton } from "./row.js";
import { seekBar } from "./seek.js";
import { printInWords, soundInWords } from "./sound.js";
import { trackSound } from "./track_sound.js";

const A_TRACK = /^\d{1,16}$/;

export function trackPage(app) {
  const { player } = app;
  const source = { list: "track" };
  const find = { label: "Find music", act: () => app.go("find") };
  let trackId = null;
  let card = null;
  let answered = false;
  const print = h("div", { class: "track-print" });
  const kind = h("p", { class: "track-kind" });
  const title = h("h1", { class: "track-title", "data-testid": "track-title" });
  const artist = h("p", { class: "track-artist" });
  const words = h("p", { class: "track-words" });
  const rights = h("p", { class: "licence", "data-testid": "track-licence" });
  const play = h("button", {
    class: "button track-play",
    type: "button",
    "data-testid": "track-play",
    onclick: toggle,
  });
  const opinions = opinionButtons(
    app,
    () => card,
    () => ({ source }),
    "track-",
  );
  const queue = h(
    "button",
    {
      class: "icon-button",
      type: "button",
      title: "Add to queue",
      onclick: enqueue,
    },
    icon("queue"),
  );
  const more = moreButton(app, item);
  const wave = seekBar(app, { cardOf: () => card, begin: playAt, look: "track-wave", testid: "track-seek" });
  const sound = trackSound();
  const near = nearColumns(app);
  const head = h(
    "div",
    { class: "track-head" },
    print,
    h(
      "div",
      { class: "track-about" },
      kind,
      title,
      artist,
      words,
      h("div", { class: "track-actions" }, play, ...opinions, queue, more),
      rights,
    ),
  );
  const whole = h("div", {}, head, wave.element, sound.element, near.element);
  const trouble = h("div", {});
  const element = h("div", { class: "view view-track", "data-testid": "track-page" }, whole, trouble);
  function item() {
    return { card, source };
  }

  function toggle() {
    if (!card) return;
    if (player.entry()?.card.track_id === trackId) player.toggle();
    else player.playFrom([item()], 0);
  }

  function playAt(position) {
    player.playFrom([item()], 0);
    player.seek(position);
  }

  function enqueue() {
    if (card) app.enqueue(item());
  }

  function begin(about) {
    trackId = A_TRACK.test(about) && Number.isSafeInteger(Number(about)) ? Number(about) : null;
    card = app.cards.get(trackId) ?? null;
    answered = false;
    if (trackId === null) fail("There is no such track.", find);
    else {
      showCard();
      near.loading();
      ask();
    }
  }

  async function ask() {
    const asked = trackId;
    if (!app.state.welcome || asked === null) return;
    try {
      const found = await app.ask("track", { track_id: asked });
      if (asked !== trackId) return;
      if (!found.track) {
        fail("This track is not in the collection.", find);
        return;
      }
      app.learn([found.track, ...found.near.flatMap(({ tracks }) => tracks)]);
      card = found.track;
      answered = true;
      showCard(found);
      near.show(found.near);
      app.nameWindow();
    } catch (error) {
      if (asked !== trackId || answered) return;
      const again = { label: "Try again", act: () => begin(String(asked)) };
      if (card) near.failed(error.message, again);
      else fail(error.message, again);
    }
  }

  function fail(sentence, action) {
    whole.hidden = true;
    setAttribute(head, "aria-busy", null);
    near.show([]);
    trouble.replaceChildren(h("h1", { class: "page-title" }, "Track"), stated("state-failed", sentence, action));
  }

  function showCard({ genres = [], cluster = null } = {}) {
    whole.hidden = false;
    trouble.replaceChildren();
    setAttribute(head, "data-track-id", trackId);
    setAttribute(head, "aria-busy", card ? null : "true");
    setText(title, card?.title ?? "\u00a0");
    // What comes below waits for the track, so that nothing is pushed down.
    for (const part of [wave, sound, near]) part.element.hidden = !card;
    if (card) {
      print.replaceChildren(soundPrint(card.print, printInWords(card.print)));
      setText(kind, tagsOf(card, genres));
      artist.replaceChildren(artistLink(app, card.artist, {}), composedMark(card) ?? "");
      words.replaceChildren(...inWords(card, cluster));
      rights.replaceChildren(licenceOf(card));
      sound.show(card.print);
    } else for (const part of [print, kind, artist, words, rights]) part.replaceChildren("\u00a0");
    refresh();
  }

  function inWords({ print: numbers }, cluster) {
    const said = soundInWords(numbers);
    const sentence = `${said[0].toUpperCase()}${said.slice(1)}`;
    if (!cluster) return [sentence];
    const about = { name: "cluster", about: cluster.number };
    if (cluster.words === said) return [pageLink(app, about, {}, sentence)];
    const link = pageLink(app, about, {}, cluster.words);
    return [`${sentence} · among what is `, link];
  }

  function refresh() {
    const playing = player.playing() && player.entry()?.card.track_id === trackId;
    const named = (words) => (card ? `${words}: ${card.title}` : words);
    play.replaceChildren(icon(playing ? "pause" : "play"), playing ? "Pause" : "Play");
    setAttribute(play, "aria-label", named(playing ? "Pause" : "Play"));
    setAttribute(queue, "aria-label", named("Add to queue"));
    for (const button of [play, queue, more]) button.disabled = !card;
    for (const button of [...opinions, more]) refreshButton(button);
    wave.refresh();
  }

  onRefresh(head, refresh);
  app.state.on("welcome", () => !element.hidden && !answered && ask());
  return {
    element,
    get title() {
      return card?.title ?? "Track";
    },
    shown({ about }) {
      if (String(trackId) !== about || !answered) begin(about);
      else refresh();
    },
    close() {},
  };
}

/** Album and genres, each once. */
function tagsOf(card, genres) {
  const tags = [card.genre, ...genres].filter(Boolean);
  return [card.album, ...new Set(tags)].filter(Boolean).join("\u00a0· ") || "\u00a0";
}
