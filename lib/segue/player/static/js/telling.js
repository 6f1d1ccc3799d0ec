// What is told of the track that plays: play, progress, complete and skip, each with where in the track.
// A track that goes over into the next by itself was heard to its end, also where the two fade; one that is
// left by a wish of the listener was skipped, unless most of it was heard or it was liked while it played.

const PROGRESS_S = 15;
const HEARD_ENOUGH = 0.8;

export function createTelling(acts) {
  let entry = null;
  let begun = false;
  let liked = false;
  let toldAt = 0;

  function tell(kind, position) {
    acts.act(kind, entry.card, { position, source: entry.source });
  }

  return {
    begun: () => begun,
    liked: () => liked,
    take(chosen, { position, alreadyBegun }) {
      if (chosen !== entry) liked = false;
      entry = chosen;
      begun = alreadyBegun;
      toldAt = position;
    },
    /** It can be heard. Returns whether that is new. */
    begin(position) {
      if (begun) return false;
      begun = true;
      tell("play", position);
      return true;
    },
    /** It has come so far, in seconds. */
    reach(position, duration) {
      if (!begun || position - toldAt < PROGRESS_S || duration - position <= 1) return;
      toldAt = position;
      tell("progress", position);
    },
    seek(position) {
      toldAt = position;
    },
    /** What is said of a track, which may be this one. */
    judge(trackId, opinion) {
      if (entry?.card.track_id === trackId) liked = opinion === "like";
    },
    /** It is left before its end. Returns whether that is a skip. */
    leave(position, duration) {
      if (!begun) return false;
      const skipped = !liked && position < HEARD_ENOUGH * duration;
      tell(skipped ? "skip" : "progress", position);
      return skipped;
    },
    end(duration) {
      tell("complete", duration);
      begun = false;
      toldAt = 0;
    },
  };
}
