// A long list whose first rows are drawn before the others are made: what is in sight waits for nothing else.

const FIRST_ROWS = 12;

/** `show(items, done)` shows them in `list`; `done(all)` is told when the first are there, and when all are. */
export function firstRowsFirst(list) {
  let frame = 0;
  let rest = 0;

  function stop() {
    cancelAnimationFrame(frame);
    clearTimeout(rest);
  }

  /** Whether they begin with what is shown: that stays, or the page would lose its place. */
  function goOn(items) {
    const shown = list.items();
    return shown.length > 0 && shown.every(({ card }, at) => card.track_id === items[at]?.card.track_id);
  }

  return {
    show(items, done) {
      stop();
      const showAll = () => {
        list.show(items);
        done(true);
      };
      if (items.length <= FIRST_ROWS || goOn(items)) {
        showAll();
        return;
      }
      list.show(items.slice(0, FIRST_ROWS));
      done(false);
      // A task of its own comes after the frame has been drawn.
      frame = requestAnimationFrame(() => (rest = setTimeout(showAll)));
    },
    stop,
  };
}
