// What anywidget gives a widget's module as `model`, over one comm, and beside it the line that carries it.

export function createModel(state, line) {
  const values = { ...state };
  const listeners = new Map();
  let changed = {};

  function emit(event, ...told) {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...told);
  }

  function take(name, value) {
    if (values[name] === value) return;
    values[name] = value;
    emit(`change:${name}`, { changed: { [name]: value } }, value);
  }

  return {
    line,
    get: (name) => values[name],
    set(name, value) {
      changed[name] = value;
      take(name, value);
    },
    save_changes() {
      line.send({ method: "update", state: changed, buffer_paths: [] });
      changed = {};
    },
    send(content) {
      line.send({ method: "custom", content });
    },
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off(event, listener) {
      listeners.get(event)?.delete(listener);
    },
    /** What the kernel says over the comm. */
    receive({ method, state: told, content }, buffers) {
      if (method === "custom") emit("msg:custom", content, buffers);
      else if (method === "update") for (const [name, value] of Object.entries(told)) take(name, value);
    },
  };
}
