// Keys that are a letter or a sign can be switched off: who steers by voice would press them by speaking.

import { lasting } from "./keep.js";

const LETTER_KEYS = "segue.letter-keys";

export function hasLetterKeys() {
  return lasting.get(LETTER_KEYS) !== false;
}

export function setLetterKeys(wanted) {
  lasting.set(LETTER_KEYS, wanted);
}
