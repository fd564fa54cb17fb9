const FIRST = ["amber", "brisk", "calm", "clear", "early", "gentle", "golden", "hidden", "lively", "quiet", "silver", "sunny"];
const SECOND = ["birch", "brook", "cedar", "cloud", "garden", "harbor", "island", "lantern", "meadow", "orchard", "river", "willow"];

/** The room that an address names, as `/r/NAME` or `?room=NAME`; an empty string when it names none. */
export function roomOf(address) {
  const url = new URL(address);
  const path = url.pathname.match(/^\/r\/(.+?)\/?$/);
  try {
    return cleanRoom(path ? decodeURIComponent(path[1]) : (url.searchParams.get("room") ?? ""));
  } catch {
    return ""; // a stray percent sign
  }
}

/** The link to send to others. */
export function linkTo(room) {
  return `${location.origin}/r/${encodeURIComponent(room)}`;
}

/** A room name as the server takes it: no control characters, none of the blanks that a person can't see. */
export function cleanRoom(room) {
  return room.replace(/\p{Cc}/gu, " ").trim();
}

/** The protocol's bound, in bytes of UTF-8. */
export function isTooLong(room) {
  return new TextEncoder().encode(room).length > 128;
}

/** A fresh room name that is easy to say over the phone and hard to guess by accident. */
export function suggestRoom() {
  const [a, b, c, d] = crypto.getRandomValues(new Uint32Array(4));
  return `${FIRST[a % FIRST.length]}-${SECOND[b % SECOND.length]}-${(c % 1296).toString(36).padStart(2, "0")}${(d % 1296).toString(36).padStart(2, "0")}`;
}
