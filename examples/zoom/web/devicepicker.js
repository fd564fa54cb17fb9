import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./text.js";

let pickers = 0;

/** The choice of camera and microphone, kept in step with what is plugged in. */
export class DevicePicker {
  #media;
  #selects = {};
  #off;

  constructor(media) {
    this.#media = media;
    pickers += 1;
    this.element = h("div", { class: "devices" },
      this.#field("camera", t("device.camera")), this.#field("microphone", t("device.microphone")));
    this.#off = media.on("change", () => this.#show());
    this.#show();
  }

  close() {
    this.#off();
  }

  #field(kind, label) {
    const id = `${kind}-${pickers}`;
    this.#selects[kind] = h("select", { id, onchange: (event) => void this.#media.choose(kind, event.target.value) });
    return h("div", { class: "device" },
      h("label", { for: id }, label), h("span", { class: "select" }, icon(kind), this.#selects[kind]));
  }

  #show() {
    for (const [kind, select] of Object.entries(this.#selects)) {
      const devices = this.#media.devices[kind];
      const options = devices.map(({ id, label }, index) => ({ id, label: label || t(`device.${kind}Number`, { number: index + 1 }) }));
      if (options.length === 0) options.push({ id: "", label: t(kind === "camera" ? "device.noCamera" : "device.noMicrophone") });
      // Rebuilding an unchanged list would close it under the person's hand.
      const before = [...select.options].map(({ value, text }) => `${value} ${text}`).join("\n");
      if (before !== options.map(({ id, label }) => `${id} ${label}`).join("\n")) {
        select.replaceChildren(...options.map(({ id, label }) => h("option", { value: id }, label)));
      }
      select.disabled = devices.length === 0;
      const chosen = this.#media.chosen(kind);
      if (chosen && options.some(({ id }) => id === chosen)) select.value = chosen;
    }
  }
}
