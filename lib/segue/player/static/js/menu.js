// A small menu beside the button that opened it; arrows move in it, Escape leaves it.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const GAP = 6;

export function createMenus(root) {
  let shown = null;
  let spot = null;

  function close({ refocus = false } = {}) {
    if (!shown) return;
    const { menu, button } = shown;
    shown = null;
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    if (refocus && button.isConnected) button.focus({ preventScroll: true });
    root.dispatchEvent(new CustomEvent("segue-menu-closed"));
  }

  /** `choices`: elements, or {label, picture, act}; falsy ones are left out. */
  function open(button, choices, label) {
    const again = shown?.button === button;
    close();
    if (again) return;
    const menu = h(
      "div",
      { class: "menu", role: "menu", "aria-label": label, onkeydown: steer },
      choices.filter(Boolean).map(choice),
    );
    root.append(menu);
    place(menu, button);
    button.setAttribute("aria-expanded", "true");
    shown = { menu, button };
    entries(menu)[0]?.focus({ preventScroll: true });
  }

  function choice(each) {
    if (each instanceof Element) return each;
    const act = () => {
      close({ refocus: true });
      each.act();
    };
    return h(
      "button",
      { class: "menu-item", type: "button", role: "menuitem", onclick: act },
      icon(each.picture),
      each.label,
    );
  }

  function entries(menu) {
    return [...menu.querySelectorAll("[role^=menuitem]")];
  }

  function steer(event) {
    const items = entries(event.currentTarget);
    const at = items.indexOf(document.activeElement);
    const [on, back] = [at + 1, at - 1];
    const steps = { ArrowDown: on, ArrowRight: on, ArrowUp: back, ArrowLeft: back, Home: 0 };
    const to = event.key === "End" ? items.length - 1 : steps[event.key];
    if (event.key === "Escape" || event.key === "Tab") close({ refocus: true });
    else if (to !== undefined) items[(to + items.length) % items.length].focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  }

  /** Below the button and flush with its right side, or with its left upper corner at the pointer. */
  function place(menu, button) {
    const frame = root.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    const at = spot ?? button.getBoundingClientRect();
    const wanted = spot ? at.left : at.right - width;
    const left = Math.min(Math.max(GAP, wanted - frame.left), frame.width - width - GAP);
    const below = at.bottom - frame.top + (spot ? 0 : GAP);
    const above = Math.max(GAP, at.top - frame.top - height - GAP);
    const top = below + height < frame.height ? below : above;
    menu.style.left = `${left}px`;
    menu.style.top = `${top}px`;
  }

  /** The menu that `openIt` opens stands where the pointer is. */
  function at({ clientX, clientY }, openIt) {
    spot = new DOMRect(clientX, clientY, 0, 0);
    openIt();
    spot = null;
  }

  function outside(event) {
    if (shown && !shown.menu.contains(event.target) && !shown.button.contains(event.target)) close();
  }
  function scrolled(event) {
    if (!shown || shown.menu.contains(event.target)) return;
    close({ refocus: shown.menu.contains(document.activeElement) });
  }
  root.addEventListener("pointerdown", outside);
  root.addEventListener("scroll", scrolled, { capture: true, passive: true });

  return { open, at, close, isOpen: () => shown !== null };
}
