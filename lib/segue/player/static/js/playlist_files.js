// Playlists as files: M3U, which players read, and JSPF (XSPF as JSON), which also says whose music it is.

const LONGEST_FILE_NAME = 80;

/** `address(trackId)` is where a clip can be heard. */
export function m3uOf(name, cards, address) {
  const lines = cards.flatMap((card) => {
    const words = oneLine([card.artist, card.title].filter(Boolean).join(" - "));
    return [`#EXTINF:${Math.round(card.duration_s) || -1},${words}`, address(card.track_id)];
  });
  return ["#EXTM3U", "#EXTENC:UTF-8", `#PLAYLIST:${oneLine(name)}`, ...lines, ""].join("\n");
}

/** Licence and attribution stand in each track's annotation, and where it is from as its `info`. */
export function jspfOf(name, cards, address, creator) {
  const track = cards.map((card) => {
    const annotation = [
      card.licence && `Licence: ${card.licence}`,
      `${card.title}${card.artist && ` by ${card.artist}`}`,
      card.attribution_url,
      card.composed && "composed by Segue",
    ];
    return {
      location: [address(card.track_id)],
      title: card.title,
      ...(card.artist && { creator: card.artist }),
      ...(card.album && { album: card.album }),
      ...(card.duration_s > 0 && { duration: Math.round(card.duration_s * 1000) }),
      ...(card.attribution_url && { info: card.attribution_url }),
      annotation: annotation.filter(Boolean).join("; "),
    };
  });
  const playlist = { title: name, creator, date: new Date().toISOString(), track };
  return `${JSON.stringify({ playlist }, null, 2)}\n`;
}

export function saveFile(name, ending, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${fileName(name)}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Letters with their signs, digits and what harms in no file name. */
function fileName(name) {
  const safe = name.replace(/[^\p{L}\p{M}\p{N} _-]+/gu, " ").replace(/\s+/g, " ").trim();
  return [...safe].slice(0, LONGEST_FILE_NAME).join("").trim() || "playlist";
}

/** A line of M3U ends with the line: what would break it is a space. */
function oneLine(text) {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
