// How strong a track is along its way, to draw: asked for once, kept while many others are.

const OUTLINES_KEPT = 300;

/** `addressOf(trackId)` is null while nobody can be asked. */
export function createPeaks(addressOf) {
  const kept = new Map();

  /** A promise of numbers from 0 to 255, one for each equal part of a track; of none, or null for now. */
  function of(trackId) {
    const address = addressOf(trackId);
    if (!address) return Promise.resolve(null);
    const asked = kept.get(trackId) ?? ask(trackId, address);
    kept.delete(trackId);
    kept.set(trackId, asked);
    while (kept.size > OUTLINES_KEPT) kept.delete(kept.keys().next().value);
    return asked;
  }

  async function ask(trackId, address) {
    try {
      const answer = await fetch(address);
      // A clip that cannot be drawn is answered with nothing.
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    } catch {
      // The server is away: the next time it is asked again.
    }
    kept.delete(trackId);
    return null;
  }
  return { of };
}
