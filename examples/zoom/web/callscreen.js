import { Banner } from "./banner.js";
import { Chat } from "./chat.js";
import { copyLinkButton } from "./copylink.js";
import { DevicePicker } from "./devicepicker.js";
import { focusOn, h, setText } from "./dom.js";
import { Grid } from "./grid.js";
import { icon } from "./icons.js";
import { notify } from "./notices.js";
import { watchSpeaking } from "./speaking.js";
import { t } from "./text.js";
import { Tile } from "./tile.js";
import { ToggleButtons } from "./togglebuttons.js";

const SELF = "self";

/** The screen during a call: everyone's tile, one's own switches, and what there is to know about the room. */
export class CallScreen {
  #call;
  #media;
  #offs;
  #told = new Set();

  constructor({ call, media, onleave }) {
    this.#call = call;
    this.#media = media;
    this.grid = new Grid();
    this.banner = new Banner();
    this.chat = new Chat(call);
    this.toggles = new ToggleButtons(media);
    this.picker = new DevicePicker(media);
    this.heading = h("h1", { class: "room-name", dir: "auto", title: call.room, "aria-label": t("call.heading", { room: call.room }) }, call.room);
    this.count = h("p", { class: "count" });
    this.alone = h("div", { class: "alone" }, h("p", { class: "alone-title" }, t("call.alone")), h("p", {}, t("call.aloneHint")),
      copyLinkButton(call.room, "secondary"));
    this.element = h("main", { class: "call" },
      h("header", { class: "call-head" }, this.heading, this.count),
      this.banner.element,
      h("div", { class: "stage" }, h("div", { class: "stage-main" }, this.grid.element, this.alone), this.chat.element),
      this.#toolbar(onleave));

    this.#offs = [
      call.on("people", () => this.#show()),
      call.on("signal", (state) => (this.banner.state = state)),
      call.on("joined", ({ name }) => notify(t("call.joined", { name }))),
      call.on("left", ({ name }) => notify(t("call.left", { name }))),
      media.on("change", () => this.#showErrors()),
      watchSpeaking(() => call.peers.values(), (peer, speaking) => {
        const tile = this.grid.get(peer);
        if (tile) tile.speaking = speaking;
      }),
    ];
    this.#told = new Set(Object.values(media.errors)); // already said before joining
    this.banner.state = call.signalState;
    this.grid.add(SELF, new Tile({ own: true }));
    this.#show();
  }

  focus() {
    focusOn(this.heading);
  }

  close() {
    for (const off of this.#offs) off();
    this.toggles.close();
    this.picker.close();
    this.banner.close();
    this.chat.close();
    this.grid.close();
    this.element.remove();
  }

  #toolbar(onleave) {
    this.picker.element.id = "device-panel";
    this.picker.element.popover = "auto";
    this.picker.element.setAttribute("role", "dialog");
    this.picker.element.setAttribute("aria-label", t("control.devices"));
    const devices = h("button", { type: "button", class: "control", popovertarget: "device-panel" },
      icon("devices"), h("span", { class: "control-text" }, t("control.devices")));
    const leave = h("button", { type: "button", class: "control control-leave", onclick: onleave },
      icon("leave"), h("span", { class: "control-text" }, t("control.leave")));
    return h("footer", { class: "toolbar", role: "group", "aria-label": t("control.label") },
      this.toggles.elements, devices, this.picker.element, this.chat.button, copyLinkButton(this.#call.room, "control"), leave);
  }

  #show() {
    const own = this.grid.get(SELF);
    own.setTracks([this.#media.tracks.camera]);
    own.update({ meta: this.#call.meta });
    // By the peer itself, not by its id: that changes when the server restarts, and the tile must stay.
    const peers = new Set(this.#call.peers.values());
    for (const key of this.grid.keys) if (key !== SELF && !peers.has(key)) this.grid.remove(key);
    for (const peer of peers) {
      if (!this.grid.get(peer)) this.grid.add(peer, new Tile({ onplay: () => this.#playAll() }));
      const tile = this.grid.get(peer);
      tile.setTracks(peer.tracks.values());
      tile.update({ id: peer.id, meta: peer.meta, state: peer.connectionState });
    }
    const people = this.grid.size;
    setText(this.count, people === 1 ? t("call.count.one") : t("call.count.many", { count: people }));
    this.alone.hidden = people > 1;
    this.element.classList.toggle("call-alone", people === 1);
  }

  /** One click is enough for all: the browser waited for any. */
  #playAll() {
    for (const tile of this.grid.tiles) void tile.play();
  }

  #showErrors() {
    for (const error of Object.values(this.#media.errors)) {
      if (!error || this.#told.has(error)) continue;
      this.#told.add(error);
      notify(error.text, "problem");
    }
  }
}
