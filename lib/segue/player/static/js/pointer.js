// What hands are used to from elsewhere: a double click plays as one click does, the other button opens the menu.

const PLAYS = ".row-title, .near-title, .tile, .starter, .queued-title";
const HAS_MENU = ".row, .near, .queued, .tile";
const LEFT_TO_THE_BROWSER = "a[href], input, .menu, dialog";

export function listenToPointer(app) {
  const { root } = app;

  /** The first click has begun to play, and the second would pause it, or play what has come under the pointer. */
  function ignoreSecond(event) {
    if (event.detail > 1 && event.target.closest(PLAYS)) event.stopPropagation();
  }

  /** With Shift, and on links and fields, the browser's own. */
  function openMenu(event) {
    const { target } = event;
    const holder = target.closest(HAS_MENU);
    if (!holder || event.shiftKey || target.closest(LEFT_TO_THE_BROWSER)) return;
    const button = holder.querySelector(".more");
    if (holder.matches(".is-dragged") || !(button || holder.segueItem)) return;
    event.preventDefault();
    event.stopPropagation();
    app.menus.at(event, () => (button ? button.click() : app.trackMenu(holder, holder.segueItem)));
  }

  root.addEventListener("click", ignoreSecond, { capture: true });
  root.addEventListener("contextmenu", openMenu);
}
