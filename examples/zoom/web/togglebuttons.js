import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./text.js";

/** On a Mac, Control moves the cursor in text fields. */
const MAC = /Mac|iP/.test(navigator.platform);
const MODIFIER = MAC ? "Meta" : "Control";

/** The two switches of one's own devices; the label says what a press will do. */
export class ToggleButtons {
  #media;
  #off;

  constructor(media) {
    this.#media = media;
    this.microphone = h("button", { type: "button", class: "control", "aria-keyshortcuts": `${MODIFIER}+D`,
      onclick: () => void media.setMuted(!media.status.muted) });
    this.camera = h("button", { type: "button", class: "control", "aria-keyshortcuts": `${MODIFIER}+E`,
      onclick: () => void media.setCameraOff(!media.status.cameraOff) });
    this.elements = [this.microphone, this.camera];
    this.#off = media.on("change", () => this.#show());
    document.addEventListener("keydown", this.#shortcut);
    this.#show();
  }

  close() {
    this.#off();
    document.removeEventListener("keydown", this.#shortcut);
  }

  #shortcut = (event) => {
    if (!(MAC ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey || event.repeat) return;
    const button = { d: this.microphone, e: this.camera }[event.key.toLowerCase()];
    if (!button) return;
    event.preventDefault();
    button.click();
  };

  #show() {
    const { muted, cameraOff } = this.#media.status;
    show(this.microphone, muted, muted ? "microphone-off" : "microphone", muted ? t("control.unmute") : t("control.mute"));
    show(this.camera, cameraOff, cameraOff ? "camera-off" : "camera", cameraOff ? t("control.startVideo") : t("control.stopVideo"));
  }
}

function show(button, off, name, label) {
  if (button.dataset.label === label) return;
  button.dataset.label = label;
  button.classList.toggle("control-off", off);
  button.replaceChildren(icon(name), h("span", { class: "control-text" }, label));
}
