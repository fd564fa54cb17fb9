import { h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { hueOf, initials, shownName } from "./name.js";
import { t } from "./text.js";

/** What to say about a connection; nothing while all is well. */
const STATE_TEXT = {
  new: "tile.connecting",
  connecting: "tile.connecting",
  disconnected: "tile.reconnecting",
  failed: "tile.failed",
  closed: "tile.failed",
};

/**
 * One person: picture or initials, name, badges, state of the connection.
 *
 * `data-peer` names the peer ("self" for oneself) and `data-state` the connection's state. The own tile is muted,
 * so nobody hears themselves, and mirrored by the stylesheet, as people know themselves from mirrors. `onplay` is
 * called when a person clicks what the browser wouldn't play by itself.
 */
export class Tile {
  #stream = new MediaStream();

  constructor({ own = false, onplay }) {
    this.own = own;
    this.video = h("video", { autoplay: true, playsInline: true, muted: own, disablePictureInPicture: own });
    if (own) this.video.defaultMuted = true;
    this.avatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.label = h("bdi", { class: "tile-name", dir: "auto" });
    this.mutedBadge = badge("microphone-off", t("tile.muted"));
    this.cameraBadge = badge("camera-off", t("tile.cameraOff"));
    this.status = h("span", { class: "tile-status", hidden: true });
    this.playButton = h("button", { class: "tile-play", type: "button", hidden: true, onclick: onplay },
      icon("play"), h("span", {}, t("call.playAll")));
    this.element = h("li", { class: own ? "tile tile-own" : "tile", dataset: { peer: "self", state: own ? "connected" : "new" } },
      this.video, this.avatar, this.status, this.playButton,
      h("span", { class: "tile-caption" }, this.label, this.cameraBadge, this.mutedBadge));
    this.video.srcObject = this.#stream;
  }

  /** Shows what is known about the person. `meta` came from another browser: every member of it is checked here. */
  update({ id = "self", meta = {}, state = "connected" }) {
    const name = shownName(meta.name);
    const shown = this.own ? t("tile.you", { name }) : name;
    const cameraOff = Boolean(meta.cameraOff) || this.#stream.getVideoTracks().length === 0;
    setText(this.label, shown);
    setText(this.avatar, initials(name));
    this.avatar.style.setProperty("--hue", hueOf(name));
    this.mutedBadge.hidden = !meta.muted;
    this.cameraBadge.hidden = !meta.cameraOff;
    this.element.dataset.peer = id;
    this.element.dataset.state = state;
    this.element.classList.toggle("tile-dark", cameraOff);
    this.video.setAttribute("aria-label", t("tile.video", { name: shown }));
    this.label.title = shown;

    const problem = STATE_TEXT[state] ? t(STATE_TEXT[state]) : "";
    setText(this.status, problem);
    this.status.hidden = problem === "";
    const facts = [meta.muted && t("tile.muted"), meta.cameraOff && t("tile.cameraOff"), problem];
    this.element.setAttribute("aria-label", [shown, ...facts.filter(Boolean)].join(", "));
  }

  /** Shows exactly these tracks. */
  setTracks(tracks) {
    const wanted = [...tracks].filter(Boolean);
    for (const track of this.#stream.getTracks()) if (!wanted.includes(track)) this.#stream.removeTrack(track);
    for (const track of wanted) if (!this.#stream.getTracks().includes(track)) this.#stream.addTrack(track);
    if (wanted.length > 0) void this.play();
  }

  /** Starts playing; when the browser wants a click first, asks for one. */
  async play() {
    try {
      await this.video.play();
      this.playButton.hidden = true;
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // replaced by a newer play, or closed
      this.playButton.hidden = false;
    }
  }

  set speaking(speaking) {
    this.element.classList.toggle("tile-speaking", speaking);
  }

  /** Leaves nothing behind: a media element that still holds a stream would keep it playing. */
  close() {
    this.video.srcObject = null;
    this.element.remove();
  }
}

function badge(name, label) {
  return h("span", { class: "badge", role: "img", "aria-label": label, title: label, hidden: true }, icon(name));
}
