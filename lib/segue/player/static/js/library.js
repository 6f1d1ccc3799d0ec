// Library: what this listener likes, and what they heard.

import { h } from "./dom.js";
import { trackList } from "./list.js";

export function libraryPage(app) {
  const likes = trackList(app, { label: "Liked", testid: "likes" });
  const heard = trackList(app, { label: "Heard lately", testid: "heard" });
  const others = h("p", { class: "quiet", hidden: true });
  const element = h(
    "div",
    { class: "view view-library" },
    h("h1", { class: "page-title" }, "Library"),
    h("section", { "aria-label": "Liked" }, h("h2", {}, "Liked"), likes.element, others),
    h("section", { "aria-label": "Heard lately" }, h("h2", {}, "Heard lately"), heard.element),
  );

  function show() {
    if (element.hidden || !element.isConnected) return;
    showLikes();
    const cards = app.heard();
    if (cards.length) heard.show(cards.map((card) => item(card, "heard")));
    else if (!app.state.welcome) heard.loading(3);
    else heard.empty("Nothing played yet.", { label: "Go to your list", act: () => app.go("home") });
  }

  function showLikes() {
    const ids = app.opinions.liked();
    const cards = ids.map((id) => app.cards.get(id)).filter(Boolean);
    const unknown = ids.length - cards.length;
    others.hidden = unknown === 0;
    others.textContent = unknown ? `and ${unknown} more, not looked up yet` : "";
    if (unknown) app.lookUp(ids.filter((id) => !app.cards.get(id)));
    if (cards.length) likes.show(cards.map((card) => item(card, "library")));
    else if (!app.state.welcome || unknown) likes.loading(Math.min(6, unknown || 3));
    else
      likes.empty("Press ♥ on what you like, and it stays here.", {
        label: "Find music",
        act: () => app.go("find"),
      });
  }

  function item(card, list) {
    return { card, source: { list }, why: { text: [card.album, card.genre].filter(Boolean).join(" · ") } };
  }

  app.opinions.on("change", show);
  app.state.on("welcome", show);
  app.state.on("cards", show);
  app.player.on("track", show);
  return {
    element,
    title: "Library",
    shown: show,
    close() {
      likes.close();
      heard.close();
    },
  };
}
