// What a kernel would answer, in the hands of a test: it tells what it is told to, and notes what it hears.

const card = (id, more = {}) => ({
  track_id: id,
  title: `Title ${id}`,
  artist: `Artist ${id}`,
  album: "Album",
  genre: "Folk",
  duration_s: 4,
  licence: "CC BY 4.0",
  attribution_url: "https://example.org/track",
  composed: false,
  print: Array.from({ length: 20 }, (_, index) => ((id * 7 + index * 3) % 11) / 10),
  ...more,
});

export function scriptedKernel(options = {}) {
  const listeners = new Set();
  const kernel = {
    card,
    heard: [],
    answers: true,
    likes: [],
    acts: () => kernel.heard.filter(({ type, kind }) => type === "act" && kind !== "impression"),
    impressions: () => kernel.heard.filter(({ kind }) => kind === "impression"),
    tell(message) {
      for (const listener of listeners) listener(structuredClone(message));
    },
    recommend(
      ids,
      { id = `list-${ids.join("-")}`, caused_by = null, cards = {}, text = "near Title 1: darker" } = {},
    ) {
      const why = { kind: "sound", text, because_of: [{ track_id: 1, title: "Title 1" }] };
      const items = ids.map((each) => ({ track: card(each, cards[each]), score: 1, why }));
      kernel.tell({ type: "recommendation", recommendation_id: id, made_at: null, model: "fusion", caused_by, items });
    },
    welcome({ tracks = 40 } = {}) {
      kernel.tell({
        type: "welcome",
        listener: { id: "mira", name: "Mira", local: false },
        dataset: { title: "Test", composed: 0, tracks, simulated: false },
        audio: { prefix: "/audio/", suffix: "" },
        likes: kernel.likes,
        dislikes: [],
        first_visit: false,
        starters: [],
        popular: [],
        recent: [],
      });
      kernel.recommend(options.ids ?? [1, 2, 3, 4, 5, 6], { id: "first", cards: options.cards });
      kernel.tell({ type: "status", kafka: true, worker: true, store: true });
    },
    accept(act) {
      kernel.tell({ type: "accepted", event_id: act.event_id });
    },
  };
  kernel.model = {
    get: (name) => (name === "full_page" ? true : undefined),
    on: (name, listener) => listeners.add(listener),
    off: (name, listener) => listeners.delete(listener),
    send(message) {
      kernel.heard.push(structuredClone(message));
      if (message.type === "hello") setTimeout(() => kernel.welcome(), 0);
      if (message.type === "act" && kernel.answers) setTimeout(kernel.accept, 0, message);
    },
  };
  return kernel;
}
