// Small charts drawn as SVG: bars of equal width, stacked, with their greatest value written beside them.

import { h, svg } from "./dom.js";

const FULL = 100;
const BAR_GAP = 0.16;

/**
 * A chart that keeps its place while its numbers change. `bars` are [{name, values: {kind: number}}],
 * oldest first; `shown` writes a value, `words` says it all, `ends` stand below the first and the last.
 */
export function barChart({ heading, kinds, testid }) {
  const most = h("span", { class: "chart-most" });
  const marks = h("span", { class: "chart-marks" });
  const picture = svg("svg", { class: "chart-picture", role: "img", preserveAspectRatio: "none" });
  const [from, to] = [h("span"), h("span")];
  const element = h(
    "figure",
    { class: "chart", "data-testid": testid },
    h("figcaption", { class: "chart-head" }, h("h3", {}, heading), marks, most),
    picture,
    h("div", { class: "chart-ends", "aria-hidden": "true" }, from, to),
  );

  function draw({ bars, shown, words, ends }) {
    const totals = bars.map(({ values }) => kinds.reduce((sum, kind) => sum + (values[kind] ?? 0), 0));
    const greatest = Math.max(0, ...totals);
    most.textContent = greatest ? `up to ${shown(greatest)}` : "";
    const here = kinds.filter((kind) => bars.some(({ values }) => values[kind]));
    marks.replaceChildren(...(here.some((kind) => kind === "simulated") ? here.map(chartMark) : []));
    [from.textContent, to.textContent] = ends;
    picture.setAttribute("viewBox", `0 0 ${Math.max(1, bars.length)} ${FULL}`);
    picture.setAttribute("aria-label", `${heading}: ${words}`);
    picture.replaceChildren(...bars.map((bar, index) => chartColumn(bar, index, kinds, greatest, shown)));
  }
  return { element, draw };
}

function chartColumn({ name, values }, index, kinds, greatest, shown) {
  let top = FULL;
  const parts = kinds.map((kind) => {
    const height = greatest ? (FULL * (values[kind] ?? 0)) / greatest : 0;
    top -= height;
    const [x, width] = [index + BAR_GAP / 2, 1 - BAR_GAP];
    return svg("rect", { class: `chart-bar ${kind}`, x, y: top, width, height });
  });
  const said = kinds
    .filter((kind) => values[kind])
    .map((kind) => shown(values[kind]) + (kind === "simulated" ? " simulated" : ""));
  return svg(
    "g",
    {},
    svg("title", {}, `${name}: ${said.join(", ") || "none"}`),
    svg("rect", { class: "chart-ground", x: index, y: 0, width: 1, height: FULL }),
    parts,
  );
}

function chartMark(kind) {
  return h("span", { class: `chart-mark ${kind}` }, kind === "simulated" ? "simulated" : "people");
}

/** Names and values side by side; `show` takes [name, value] pairs, always in the same order. */
export function figureRow(names, testid) {
  const values = names.map(() => h("dd", {}, "–"));
  const element = h(
    "dl",
    { class: "figures", "data-testid": testid },
    names.map((name, index) => h("div", {}, h("dt", {}, name), values[index])),
  );
  return {
    element,
    show: (next) => values.forEach((value, index) => (value.textContent = next[index])),
  };
}

export function percent(share) {
  return share === null ? "–" : `${Math.round(100 * share)} %`;
}
