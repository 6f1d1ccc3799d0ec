// Put into a page before its own scripts: notes when things became visible, and what went over the line.
(() => {
  const SHELL = ".control-play, [data-testid=player-bar] button";
  const LIKE = '[data-testid="for-you"] [data-testid="row"] [data-testid="like"]';
  const seen = { shell: null, clicked: null, first: null, acts: {}, last: null, lists: 0 };
  window.segueSeen = seen;

  const visible = (element) => {
    if (!element) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === "visible";
  };

  const look = () => {
    const now = performance.now();
    if (seen.shell === null && visible(document.querySelector(SHELL))) seen.shell = now;
    if (window.segueClickFirst && seen.first === null && now - (seen.clicked ?? -1000) > 250) {
      const like = document.querySelector(LIKE);
      if (visible(like) && !like.disabled) {
        seen.clicked = now;
        like.click();
      }
    }
    if (seen.shell === null || (window.segueClickFirst && seen.first === null)) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);

  const text = (data) => (typeof data === "string" ? data : new TextDecoder().decode(data));

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => received(text(data), performance.now()));
    }

    send(data) {
      const words = text(data);
      const act = /"type":\s*"act".*?"event_id":\s*"([0-9a-f-]+)"/.exec(words);
      if (act) {
        const kind = /"kind":\s*"(\w+)"/.exec(words)[1];
        seen.acts[act[1]] ??= { kind, sent: performance.now() };
        if (kind === "like") seen.first ??= act[1];
        seen.last = () => super.send(renamed(data));
      }
      super.send(data);
    }
  };

  /** The same message with another id: a kernel takes none twice. */
  function renamed(data) {
    const bytes = new Uint8Array(data.slice(0));
    const id = /"msg_id":\s*"/.exec(new TextDecoder("latin1").decode(bytes));
    const fresh = new TextEncoder().encode(crypto.randomUUID().slice(0, 8));
    bytes.set(fresh, id.index + id[0].length);
    return bytes.buffer;
  }

  function received(words, now) {
    const accepted = /"type":\s*"accepted",\s*"event_id":\s*"([0-9a-f-]+)"/.exec(words);
    if (accepted) {
      const act = seen.acts[accepted[1]];
      if (act) act.accepted ??= now;
      seen.answer?.(now);
      window.segueAccepted?.(accepted[1]);
    }
    if (!/"type":\s*"recommendation"/.test(words)) return;
    seen.lists += 1;
    const cause = /"caused_by":\s*"([0-9a-f-]+)"/.exec(words)?.[1];
    if (!(cause in seen.acts)) return;
    for (const [id, act] of Object.entries(seen.acts)) {
      act.listed ??= now;
      if (id === cause) break;
    }
  }

  /** Send the last act again, `count` times; the kernel answers from memory. Returns milliseconds. */
  window.segueRoundTrips = async (count) => {
    const times = [];
    for (let each = 0; each < count; each += 1) {
      const began = performance.now();
      const answered = new Promise((resolve) => (seen.answer = resolve));
      seen.last();
      times.push((await answered) - began);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    return times;
  };

  /** Like a row of the list that is not liked yet. */
  window.segueLike = () => {
    const likes = [...document.querySelectorAll(LIKE)].filter((each) => each.ariaPressed !== "true");
    likes[Math.floor(Math.random() * likes.length)]?.click();
  };
})();
