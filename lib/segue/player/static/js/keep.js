// What the browser keeps for us, where it lets us; where not, this page's memory does.

function area(name) {
  const memory = new Map();
  let real = null;
  try {
    real = window[name];
    real.getItem("segue");
  } catch {
    real = null;
  }
  return {
    get(key) {
      if (memory.has(key)) return memory.get(key);
      try {
        return JSON.parse(real?.getItem(key) ?? "null");
      } catch {
        return null;
      }
    },
    /** Returns whether it will survive a reload. */
    set(key, value) {
      try {
        real.setItem(key, JSON.stringify(value));
        memory.delete(key);
        return true;
      } catch {
        memory.set(key, value);
        return false;
      }
    },
    remove(key) {
      memory.delete(key);
      try {
        real?.removeItem(key);
      } catch {
        // Without storage there is nothing to take away.
      }
    },
    keys(prefix) {
      const found = new Set(memory.keys());
      for (let index = 0; index < (real?.length ?? 0); index += 1) found.add(real.key(index));
      return [...found].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}

export const lasting = area("localStorage");
export const session = area("sessionStorage");
