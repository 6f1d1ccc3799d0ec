// Where in the player one is: `#track/12`, a page and what it is about, as it stands in the address.

const WORD = /^[a-z]+$/;
/** An artist's name has up to 500 characters, each at most two of a string's. */
const LONGEST = 1000;

/** `{name, about}` of a hash; an address of another form is the page `home`. */
export function readAddress(hash) {
  const [name, ...rest] = hash.replace(/^#/, "").split("/");
  let about = "";
  try {
    about = decodeURIComponent(rest.join("/")).slice(0, LONGEST);
  } catch {
    return { name: "home", about: "" };
  }
  return WORD.test(name) ? { name, about } : { name: "home", about: "" };
}

export function writeAddress({ name, about = "" }) {
  return about ? `#${name}/${encodeURIComponent(about)}` : `#${name}`;
}
