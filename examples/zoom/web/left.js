import { focusOn, h } from "./dom.js";
import { t } from "./text.js";

/** The screen after a call, with the way back. `reason` is "left", "kicked", "closed", "lost" or "elsewhere". */
export class Left {
  constructor({ room, reason, onrejoin, onhome }) {
    this.heading = h("h1", {}, t(`left.${reason}`));
    this.element = h("main", { class: "left" },
      h("p", { class: "brand" }, h("img", { src: "/favicon.svg", alt: "", width: 28, height: 28 }), t("app.name")),
      this.heading,
      h("p", { class: "left-room" }, h("bdi", { dir: "auto" }, room)),
      h("div", { class: "left-actions" },
        h("button", { class: "primary", type: "button", onclick: onrejoin }, t("left.rejoin")),
        h("button", { class: "secondary", type: "button", onclick: onhome }, t("left.home"))));
  }

  focus() {
    focusOn(this.heading);
  }

  close() {
    this.element.remove();
  }
}
