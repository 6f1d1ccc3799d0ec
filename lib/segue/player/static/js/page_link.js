// A link to a page of the player: a plain click goes there at once, any other is the browser's.

import { writeAddress } from "./address.js";
import { h } from "./dom.js";

export function pageLink(app, { name, about = "" }, attributes, ...children) {
  const href = writeAddress({ name, about: String(about) });
  return h("a", { ...attributes, href, onclick: (event) => followLink(app, event, name, { about }) }, ...children);
}

/** For a click on a link to a page; `options` are those of `app.go`. */
export function followLink(app, event, name, options) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  app.go(name, options);
}

/** An artist's name, which leads to the artist's tracks unless nobody is named. */
export function artistLink(app, artist, attributes) {
  if (!artist) return h("span", attributes);
  return pageLink(app, { name: "artist", about: artist }, attributes, artist);
}
