// Put into a page before its own scripts: notes of each key when it was pressed, asked for, answered and shown.
(() => {
  const RESULTS = '[data-testid="find-results"]';
  let key = null;
  let told = () => {};

  addEventListener(
    "keydown",
    ({ timeStamp }) => (key = { pressed: timeStamp, asked: 0, answered: 0, changed: 0, shown: 0 }),
    true,
  );

  const text = (data) => (typeof data === "string" ? data : new TextDecoder().decode(data));
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (key?.asked && !key.answered && /"type":\s*"found"/.test(text(data))) key.answered = performance.now();
      });
    }

    send(data) {
      if (key && !key.asked && /"type":\s*"find"/.test(text(data))) key.asked = performance.now();
      super.send(data);
    }
  };

  new MutationObserver((changes) => {
    if (!key?.answered || key.shown) return;
    if (!changes.some(({ target }) => (target.closest ?? target.parentElement?.closest)?.call(target, RESULTS))) return;
    const changed = key;
    changed.shown = -1;
    changed.changed = performance.now();
    requestAnimationFrame(() => {
      // A task of its own: after the frame has been drawn.
      const drawn = new MessageChannel();
      drawn.port1.onmessage = () => {
        changed.shown = performance.now();
        told();
      };
      drawn.port2.postMessage(null);
    });
  }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true });

  window.segueKeystrokes = {
    /** What is known of the last key once it is shown, or after so many milliseconds. */
    last: (patience) =>
      new Promise((resolve) => {
        const done = () => resolve({ ...key, shown: Math.max(0, key.shown) });
        if (key.shown > 0) return done();
        told = done;
        setTimeout(done, patience);
      }),
  };
})();
