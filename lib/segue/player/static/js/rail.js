// The way around: pages at the left, or at the foot of a narrow page.

import { h, setAttribute } from "./dom.js";
import { icon } from "./icons.js";
import { followLink } from "./page_link.js";
import { soundPrint } from "./print.js";

const PAGES = [
  ["home", "Home"],
  ["find", "Find"],
  ["map", "Map"],
  ["radio", "Radio"],
  ["library", "Library"],
  ["activity", "Activity"],
];
const LOGO = [0.9, 0.3, 0.6, 0.3, 0.75, 0.35, 0.3, 0.95, 0.3, 0.6, 0.3, 0.7, 0.7, 0.55, 0.1, 0.3];

export function rail(app) {
  const links = PAGES.map(([name, words]) =>
    h(
      "a",
      {
        class: "rail-link",
        href: `#${name}`,
        "data-page": name,
        "data-testid": `nav-${name}`,
        onclick: (event) => followLink(app, event, name, { focus: name === "find" }),
      },
      icon(name),
      h("span", {}, words),
    ),
  );
  const element = h(
    "nav",
    { class: "rail", "aria-label": "Main" },
    h("div", { class: "brand", "aria-hidden": "true" }, soundPrint(LOGO), h("span", {}, "Segue")),
    links,
  );

  return {
    element,
    show: (name) =>
      links.forEach((link) => setAttribute(link, "aria-current", link.dataset.page === name ? "page" : null)),
  };
}
