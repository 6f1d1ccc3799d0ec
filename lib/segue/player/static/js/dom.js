// Elements are made here and nowhere from markup: whatever a tag says stays text.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: listeners by `onclick`, booleans as attributes, null left out, strings as text. */
export function h(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, or take it away for null and false. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value))
    element.setAttribute(name, value === true ? "" : value);
}

/** The address if it is one of the web, else null: a tag may hold `javascript:` as well. */
export function webAddress(text) {
  try {
    const address = new URL(text);
    return ["http:", "https:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

export function outsideLink(address, attributes, ...children) {
  const href = webAddress(address);
  if (!href) return null;
  return h("a", { ...attributes, href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

export function prefersLessMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** For `focusin`: browsers leave what is only partly in sight where it is. */
export function bringIntoSight({ target }) {
  if (target.matches(":focus-visible")) target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/**
 * Change what stands in a place without the focus falling out of the player: keys would go to the page around.
 * Where what had it is gone, the control of its kind that has its place now gets it.
 */
export function keepingFocus(container, change) {
  const active = container.contains(document.activeElement) ? document.activeElement : null;
  const alike = () => [...container.querySelectorAll("a, button, input")].filter(isAlike);
  const isAlike = ({ className }) => className === active.className;
  const place = active ? alike().indexOf(active) : -1;
  change();
  if (!active || document.activeElement === active) return;
  if (active.isConnected) {
    active.focus({ preventScroll: true });
    return;
  }
  const left = alike();
  const next = left[Math.min(place, left.length - 1)];
  if (next) next.focus();
  else container.closest("[tabindex='-1']")?.focus({ preventScroll: true });
}
