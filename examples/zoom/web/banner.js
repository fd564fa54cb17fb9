import { h, setText } from "./dom.js";
import { t } from "./text.js";

/** Tells when the server is out of reach. Calls already running don't need it, and the text says so. */
export class Banner {
  #state = "open";

  constructor() {
    this.element = h("div", { class: "banner", role: "status", hidden: true });
    addEventListener("online", this.#show);
    addEventListener("offline", this.#show);
  }

  /** Takes the signaling client's state. */
  set state(state) {
    this.#state = state;
    this.#show();
  }

  close() {
    removeEventListener("online", this.#show);
    removeEventListener("offline", this.#show);
  }

  #show = () => {
    const away = this.#state === "reconnecting" || this.#state === "connecting";
    this.element.hidden = !away;
    setText(this.element, away ? t(navigator.onLine ? "banner.reconnecting" : "banner.offline") : "");
  };
}
