// Questions that the kernel answers, each with a promise of its answer.

const FIRST = 2 ** 40;
const ANSWERED_WITHIN_MS = 8000;

/** `ask("track", { track_id })` resolves with the message `track` of the same request, or fails with words. */
export function createQuestions(link) {
  const waiting = new Map();
  const heard = new Set();
  let request = FIRST;

  function ask(type, fields = {}, answer = type) {
    if (!heard.has(answer)) {
      heard.add(answer);
      link.on(answer, (message) => settle(message.request, ({ resolve }) => resolve(message)));
    }
    request += 1;
    return new Promise((resolve, reject) => {
      const own = request;
      const patience = setTimeout(() => failed(own, "That takes too long just now."), ANSWERED_WITHIN_MS);
      waiting.set(own, { resolve, reject, patience });
      link.send({ type, request: own, ...fields });
    });
  }

  function settle(number, act) {
    const asked = waiting.get(number);
    if (!asked) return false;
    waiting.delete(number);
    clearTimeout(asked.patience);
    act(asked);
    return true;
  }

  /** Tell whether the question was one of these. */
  function failed(number, words) {
    return settle(number, ({ reject }) => reject(new Error(words)));
  }

  return {
    ask,
    failed,
    close() {
      for (const number of [...waiting.keys()]) failed(number, "The page is closing.");
    },
  };
}
