// The clusters of KMeans: groups of tracks that sound alike, named by what they have more or less of.

import { h } from "./dom.js";
import { count } from "./format.js";
import { stated } from "./list.js";
import { pageLink } from "./page_link.js";
import { soundPrint } from "./print.js";
import { capital, mostly } from "./tracks_of.js";

const CLUSTER_SKELETONS = 8;

export function clustersPage(app) {
  const tiles = h("ul", { class: "clusters", "data-testid": "clusters" });
  const state = h("div", {});
  const element = h(
    "div",
    { class: "view view-clusters" },
    h("h1", { class: "page-title" }, "Moods"),
    h(
      "p",
      { class: "quiet" },
      "Tracks that sound alike, put together by KMeans; the words say what sets each mood apart.",
    ),
    tiles,
    state,
  );
  let stands = false;

  async function ask() {
    if (stands) return;
    tiles.setAttribute("aria-busy", "true");
    tiles.replaceChildren(...Array.from({ length: CLUSTER_SKELETONS }, clusterSkeleton));
    state.replaceChildren();
    if (!app.state.welcome) return;
    try {
      const { clusters } = await app.ask("clusters");
      stands = clusters.length > 0;
      tiles.replaceChildren(...clusters.map((each) => clusterTile(app, each)));
      if (!stands)
        state.replaceChildren(
          stated("state-empty", "This collection has not been sorted into moods yet.", {
            label: "Find music",
            act: () => app.go("find"),
          }),
        );
    } catch (error) {
      tiles.replaceChildren();
      state.replaceChildren(stated("state-failed", error.message, { label: "Try again", act: ask }));
    }
    tiles.removeAttribute("aria-busy");
  }

  app.state.on("welcome", () => !element.hidden && ask());
  return { element, title: "Moods", shown: ask, close() {} };
}

function clusterTile(app, cluster) {
  return h(
    "li",
    {},
    pageLink(
      app,
      { name: "cluster", about: cluster.number },
      { class: "cluster-tile" },
      h("span", { class: "cluster-print" }, soundPrint(cluster.print)),
      h("span", { class: "cluster-words" }, capital(cluster.words)),
      h("span", { class: "tile-artist" }, count(cluster.size, "track")),
      h("span", { class: "tile-artist" }, mostly(cluster)),
    ),
  );
}

function clusterSkeleton() {
  const line = (width) => h("span", { class: "skeleton-line", style: `width:${width}` });
  return h(
    "li",
    { class: "skeleton", "aria-hidden": "true" },
    h(
      "span",
      { class: "cluster-tile" },
      h("span", { class: "cluster-print skeleton-print" }),
      line("70%"),
      line("50%"),
    ),
  );
}
