import { t } from "./text.js";

const LONGEST = 60;
// Control characters, and the ones that turn the direction of the text after them.
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A name fit to show, from whatever another peer sent as its own: never trusted, never empty, never endless. */
export function shownName(name) {
  if (typeof name !== "string") return t("tile.guest");
  const clean = name.slice(0, 4 * LONGEST).replace(UNSEEN, " ").replace(/\s+/g, " ").trim();
  const letters = [...clean];
  if (letters.length === 0) return t("tile.guest");
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST).join("")}…` : clean;
}

/** One letter for a tile without a picture, or two where letters stand apart and have a capital form. */
export function initials(name) {
  const words = name.split(" ").map((word) => word.match(/[\p{L}\p{N}]/u)?.[0]).filter(Boolean);
  if (words.length === 0) return "?";
  const ends = [words[0], words.at(-1)].map((letter) => letter.toLocaleUpperCase());
  const apart = words.length > 1 && ends.every((letter) => letter !== letter.toLocaleLowerCase());
  return apart ? ends.join("") : ends[0];
}

/** A hue from 0 to 359, the same for the same name on everyone's screen. */
export function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 100_003;
  return hash % 360;
}
