// What runs in the visitor's browser in the place of a notebook's front end: shows the widget, joins it to its kernel.

import { keepClicks } from "./clicks.js";
import { createLine } from "./line.js";
import { createModel } from "./model.js";

const { esm } = document.currentScript.dataset;
const endOfShell = keepClicks();
const line = createLine();
const model = createModel({ full_page: true }, line);
const coming = new MutationObserver(begin);
let begun = false;
line.heard = model.receive;

async function show() {
  const [{ default: widget }] = await Promise.all([import(esm), standing("segue-player")]);
  const player = document.getElementById("segue-player");
  const handOver = endOfShell();
  widget.render({ model, el: player });
  handOver(player);
  document.getElementById("segue-shell").remove();
}

/** Wait for an element of a page that is still coming. */
function standing(id) {
  return new Promise((done) => {
    const look = () => document.getElementById(id) && (watch.disconnect(), done());
    const watch = new MutationObserver(look);
    watch.observe(document, { childList: true, subtree: true });
    look();
  });
}

/** The page ends with the description of its kernel, or without one, or breaks off. */
function begin() {
  const described = document.getElementById("segue-page");
  const complete = Boolean(described?.nextSibling);
  if (begun || (!complete && document.readyState === "loading")) return;
  begun = true;
  coming.disconnect();
  line.begin(complete ? JSON.parse(described.textContent) : null);
}

show().catch(async (error) => {
  await standing("segue-shell");
  document.getElementById("segue-shell").setAttribute("data-failed", "");
  throw error;
});
coming.observe(document, { childList: true, subtree: true });
document.addEventListener("DOMContentLoaded", begin);
