// Times and counts as people write them.

export function clock(seconds) {
  const [hours, minutes, rest] = parts(seconds);
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

export function spoken(seconds) {
  const [hours, minutes, rest] = parts(seconds);
  return [hours && count(hours, "hour"), minutes && count(minutes, "minute"), count(rest, "second")]
    .filter(Boolean)
    .join(" ");
}

/** Hours, minutes and seconds of a number of seconds; of none where it is no time. */
function parts(seconds) {
  const whole = Number.isFinite(seconds) && seconds > 0 ? Math.floor(seconds) : 0;
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** What a search may have found beside title and artist; a line does not begin with the dot. */
export function albumAndGenre({ album, genre }) {
  return [album, genre].filter(Boolean).join("\u00a0· ");
}

/** How many tracks, and how long they last: "12 tracks · 1 hour 4 minutes". */
export function tracksAndTime(cards) {
  const seconds = cards.reduce((sum, { duration_s }) => sum + duration_s, 0);
  const minutes = seconds < 60 ? 0 : Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const time = minutes
    ? [hours && count(hours, "hour"), minutes % 60 && count(minutes % 60, "minute")]
    : [seconds >= 1 && count(Math.round(seconds), "second")];
  return [count(cards.length, "track"), time.filter(Boolean).join(" ")].filter(Boolean).join(" · ");
}

export function ago(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${count(minutes, "minute")} ago`;
  return `${count(Math.floor(minutes / 60), "hour")} ago`;
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
