import { h } from "./dom.js";

const SHOWN_MS = 5000;
const MOST = 4;

/** Says something in passing: seen for a few seconds, and read out by screen readers. */
export function notify(text, kind = "info") {
  const list = document.querySelector("#notices");
  const notice = h("p", { class: `notice notice-${kind}`, dir: "auto" }, text);
  list.append(notice);
  while (list.children.length > MOST) list.firstElementChild.remove();
  setTimeout(() => notice.remove(), SHOWN_MS);
}
