// The page's parts and who tells whom: no element is made here.

import { createActs } from "./acts.js";
import { emitter } from "./emitter.js";
import { createForYou } from "./for_you.js";
import { lasting, session } from "./keep.js";
import { createLink } from "./link.js";
import { createOpinions } from "./opinions.js";
import { createOutbox } from "./outbox.js";
import { createPeaks } from "./peaks.js";
import { createPlayer } from "./player.js";
import { createQuestions } from "./questions.js";
import { createQueue } from "./queue.js";
import { keepPlace } from "./resume.js";
import { createSearch } from "./search.js";

const QUIET_MS = 10_000;
const DOUBT_MS = 2500;
const CARDS_KEPT = 5000;
const LOOKED_UP_AT_ONCE = 200;
const HEARD_KEPT = 40;
const SKIP_TOLD = "segue.skip-told";

export function createApp(model, { fullPage, base }) {
  const state = {
    ...emitter(),
    welcome: null,
    trouble: null,
    link: "connecting",
    status: { kafka: null, worker: null, store: null },
  };
  const link = createLink(model);
  const outbox = createOutbox(link.send);
  const acts = createActs(outbox);
  const opinions = createOpinions(acts, outbox);
  const forYou = createForYou(opinions, acts);
  const search = createSearch(link.send);
  const questions = createQuestions(link);
  const queue = createQueue();
  const peaks = createPeaks((trackId) => {
    const audio = state.welcome?.audio;
    return audio ? `${audio.prefix}${trackId}/peaks${audio.suffix}` : null;
  });
  const cards = new Map();
  const lookedUp = new Set();
  let heard = [];
  let lastHeard = Date.now();
  let nextLookUp = 0;
  let doubt = 0;
  const lookUps = new Set();

  const player = createPlayer(queue, acts, {
    address: (trackId) => state.welcome.audio.prefix + trackId + state.welcome.audio.suffix,
    more: goOnWithList,
    online: () => navigator.onLine && state.link !== "away",
  });
  const place = keepPlace(queue, player);

  /** What nobody queued comes from the listener's own list, heard or not, so that the music does not stop. */
  function goOnWithList() {
    const now = queue.current()?.card.track_id;
    const others = forYou.items().filter(({ card }) => card.track_id !== now);
    const unheard = others.filter(({ card }) => !queue.heard(card.track_id));
    queue.follow(unheard.length ? unheard : others);
  }

  const app = {
    state,
    link,
    outbox,
    acts,
    opinions,
    forYou,
    search,
    ask: questions.ask,
    learn,
    queue,
    cards,
    peaks,
    player,
    base,
    fullPage,
    say() {},
    offline: () =>
      !navigator.onLine ||
      !["connecting", "here", "idle"].includes(state.link) ||
      state.status.kafka === false,
    heard: () => heard,
    logIn: () => window.location.assign(`${base}login?next=${encodeURIComponent(base)}`),
    enqueue(item, options) {
      // A row's own item follows the list; what is queued stays what it was asked from.
      queue.ask({ ...item }, options);
      app.say(options?.first ? `${item.card.title} plays next` : `${item.card.title} is queued`);
    },
    /** Ask for the cards of tracks that were only named; a kernel that cannot tell leaves them out. */
    lookUp(trackIds) {
      const wanted = trackIds.filter((id) => !lookedUp.has(id)).slice(0, LOOKED_UP_AT_ONCE);
      if (!wanted.length) return;
      for (const id of wanted) lookedUp.add(id);
      nextLookUp += 1;
      lookUps.add(nextLookUp);
      link.send({ type: "find", request: nextLookUp, among: wanted });
    },
    forgetSession() {
      place.forget();
      for (const key of session.keys("segue.")) session.remove(key);
    },
    close() {
      clearTimeout(doubt);
      for (const part of [link, outbox, search, questions, place, player]) part.close();
      window.removeEventListener("online", comeBack);
      document.removeEventListener("visibilitychange", look);
    },
  };

  function learn(found) {
    for (const card of found ?? []) {
      cards.delete(card.track_id);
      cards.set(card.track_id, card);
    }
    while (cards.size > CARDS_KEPT) cards.delete(cards.keys().next().value);
  }

  function remember(list) {
    const known = new Set();
    heard = list.filter(({ track_id }) => !known.has(track_id) && known.add(track_id)).slice(0, HEARD_KEPT);
  }

  function welcomed(welcome) {
    const again = state.welcome !== null;
    if (again && state.welcome.listener.id !== welcome.listener.id) {
      link.reload();
      return;
    }
    state.welcome = welcome;
    state.trouble = null;
    for (const found of [welcome.starters, welcome.popular, welcome.recent]) learn(found);
    remember([...heard, ...(welcome.recent ?? [])]);
    const { listener, dataset } = welcome;
    outbox.open(listener.id, dataset.title);
    opinions.replace(welcome.likes, welcome.dislikes, listener.id, dataset.title);
    if (!again) place.restore(`${listener.id}/${dataset.title}`);
    state.emit("welcome", welcome);
  }

  function on(type, act) {
    link.on(type, (message) => {
      lastHeard = Date.now();
      act(message);
    });
  }

  on("welcome", welcomed);
  on("recommendation", (recommendation) => {
    learn(recommendation.items?.map(({ track }) => track));
    forYou.replace(recommendation);
    const told = { list: "for-you", recommendation_id: recommendation.recommendation_id ?? null };
    if (queue.current() && queue.follows(told)) goOnWithList();
    player.beginIfAwaited();
  });
  on("found", (message) => {
    learn(message.tracks);
    if (lookUps.delete(message.request)) state.emit("cards");
    else search.answered(message);
  });
  on("accepted", ({ event_id }) => outbox.accepted(event_id));
  on("later", ({ event_id }) => outbox.later(event_id));
  on("refused", ({ event_id, why }) => {
    const act = outbox.refused(event_id);
    if (!act) return;
    opinions.takeBack(act);
    app.say(`This was not taken: ${why}`);
  });
  on("status", (told) => {
    clearTimeout(doubt);
    const trouble = ["kafka", "worker", "store"].some(
      (part) => told[part] === false && state.status[part] !== false,
    );
    if (trouble) doubt = setTimeout(believe, DOUBT_MS, told);
    else believe(told);
  });
  function believe({ kafka, worker, store }) {
    const back = kafka && state.status.kafka === false;
    state.status = { kafka, worker, store };
    if (back) outbox.retry();
    state.emit("status");
  }
  on("failed", (message) => {
    if (message.request === null || message.request === undefined) {
      state.trouble = message.text;
      state.emit("trouble", message.text);
      if (state.welcome) app.say(message.text);
    } else if (!lookUps.delete(message.request) && !questions.failed(message.request, message.text))
      search.failed(message);
  });

  link.on("state", (next) => {
    state.link = next;
    state.emit("link", next);
    if (next === "here") player.comeBack();
  });
  link.on("reload", place.save);
  search.on("failed", suspect);
  outbox.on("unanswered", suspect);
  function suspect() {
    if (Date.now() - lastHeard >= QUIET_MS) link.suspect();
  }
  const comeBack = () => {
    link.suspect();
    player.comeBack();
  };
  const look = () =>
    document.visibilityState === "visible" && Date.now() - lastHeard >= 6 * QUIET_MS && link.suspect();
  window.addEventListener("online", comeBack);
  document.addEventListener("visibilitychange", look);

  opinions.on("change", (trackId) => {
    if (trackId === null) return;
    player.judge(trackId, opinions.of(trackId));
    if (opinions.of(trackId) === "dislike") queue.drop(trackId);
  });
  player.on("begun", ({ card }) => remember([card, ...heard]));
  player.on("skipped", () => {
    if (lasting.get(SKIP_TOLD)) return;
    lasting.set(SKIP_TOLD, true);
    app.say("Skips teach it too: the list learns from what you leave.");
  });
  player.on("held", () => app.say("You are offline and the next track is not here yet: this one goes on."));
  player.on("failed", ({ entry, last, online }) => {
    if (!online) app.say("You are offline: the sound goes on as soon as you are back.");
    else if (last)
      app.say("Nothing plays at the moment. Try again in a while.", {
        label: "Try again",
        act: player.toggle,
      });
    else app.say(`${entry.card.title} cannot be played; on to the next.`);
  });
  return app;
}
