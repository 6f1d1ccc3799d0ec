// What can be done with a track, wherever it stands.

import { writeAddress } from "./address.js";
import { webAddress } from "./dom.js";
import { starChoices } from "./rating.js";

/** Return what opens the menu of an item {card, source, choices} beside a button, with `more` at its end. */
export function trackMenu(app) {
  /** Where in a track it is heard, 0 where it is not. */
  function positionIn(card) {
    return app.player.entry()?.card.track_id === card.track_id ? app.player.position() : 0;
  }

  function choices(item, more) {
    const { card, source } = item;
    const { track_id: id, artist } = card;
    const origin = webAddress(card.attribution_url);
    const disliked = app.opinions.of(id) === "dislike";
    return [
      { label: "Play next", picture: "next", act: () => app.enqueue(item, { first: true }) },
      { label: "Add to queue", picture: "queue", act: () => app.enqueue(item) },
      { label: "Show on the map", picture: "map", act: () => app.go("map", { about: id }) },
      { label: "Add to playlist …", picture: "playlist", act: () => app.addToPlaylist([card]) },
      { label: "Radio from this", picture: "radio", act: () => app.radio.from(card) },
      ...(item.choices?.() ?? []),
      { label: "About this track", picture: "about", act: () => app.go("track", { about: id }) },
      artist && {
        label: `More by ${artist}`,
        picture: "person",
        act: () => app.go("artist", { about: artist }),
      },
      app.fullPage && { label: "Copy link", picture: "link", act: () => copyLink(card) },
      starChoices(app, card, () => ({ source, position: positionIn(card) })),
      {
        label: disliked ? "Not for me: take back" : "Not for me",
        picture: "less",
        act: () => app.opinions.toggle(card, "dislike", { source }),
      },
      origin && {
        label: card.licence || "Where it is from",
        picture: "outside",
        act: () => window.open(origin, "_blank", "noopener,noreferrer"),
      },
      ...more,
    ];
  }

  async function copyLink({ track_id: id, title }) {
    const link = new URL(writeAddress({ name: "track", about: String(id) }), window.location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      app.say(`The link to ${title} is copied`);
    } catch {
      app.say(`The link to ${title}: ${link}`);
    }
  }

  return (button, item, more = []) => app.menus.open(button, choices(item, more), item.card.title);
}
