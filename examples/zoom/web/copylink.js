import { h } from "./dom.js";
import { icon } from "./icons.js";
import { notify } from "./notices.js";
import { linkTo } from "./room.js";
import { t } from "./text.js";

const SHOWN_MS = 2500;

/** A button that puts the room's link into the clipboard, and says so. */
export function copyLinkButton(room, className) {
  const text = h("span", { class: "control-text" }, t("control.copyLink"));
  const button = h("button", { type: "button", class: className, onclick: copy }, icon("link"), text);
  let timer;

  async function copy() {
    try {
      await navigator.clipboard.writeText(linkTo(room));
    } catch {
      notify(`${t("control.copyManually")} ${linkTo(room)}`); // no clipboard without https, or it was refused
      return;
    }
    notify(t("control.copied"));
    show("check", t("control.copied"));
    clearTimeout(timer);
    timer = setTimeout(() => show("link", t("control.copyLink")), SHOWN_MS);
  }

  function show(name, label) {
    button.firstElementChild.replaceWith(icon(name));
    text.textContent = label;
  }

  return button;
}
