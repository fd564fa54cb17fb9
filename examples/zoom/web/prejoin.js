import { DevicePicker } from "./devicepicker.js";
import { focusOn, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { explain } from "./mediaerror.js";
import { meter } from "./meter.js";
import { cleanRoom, isTooLong, suggestRoom } from "./room.js";
import { t } from "./text.js";
import { ToggleButtons } from "./togglebuttons.js";

/** The screen before a call: look at yourself, choose devices, say who you are and where to. */
export class Prejoin {
  #media;
  #onjoin;
  #off;
  #stopMeter = () => {};
  #metered;

  /** `onjoin({name, room})` returns a promise; what it rejects with is shown as the reason. */
  constructor({ media, name, room, onjoin }) {
    this.#media = media;
    this.#onjoin = onjoin;
    this.toggles = new ToggleButtons(media);
    this.picker = new DevicePicker(media);

    this.heading = h("h1", {}, room ? t("prejoin.headingRoom") : t("prejoin.heading"));
    this.name = h("input", { id: "name", name: "name", type: "text", required: true, maxLength: 60, autocomplete: "name",
      dir: "auto", value: name, "aria-describedby": "name-error" });
    this.room = h("input", { id: "room", name: "room", type: "text", required: true, maxLength: 128, autocomplete: "off",
      autocapitalize: "off", spellcheck: false, dir: "auto", value: room || suggestRoom(), "aria-describedby": "room-error room-hint" });
    this.nameError = h("p", { id: "name-error", class: "field-error", "aria-live": "polite" });
    this.roomError = h("p", { id: "room-error", class: "field-error", "aria-live": "polite" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.button = h("button", { class: "primary", type: "submit" }, t("prejoin.join"));

    this.element = h("main", { class: "prejoin" },
      h("p", { class: "brand" }, h("img", { src: "/favicon.svg", alt: "", width: 28, height: 28 }), t("app.name")),
      h("div", { class: "prejoin-body" }, this.#preview(), this.#problems(), this.#form(), this.picker.element));
    this.#off = media.on("change", () => this.#show());
    this.#show();
  }

  focus() {
    if (this.name.value) focusOn(this.heading);
    else this.name.focus();
  }

  /** Says why there is no call, as when the room is full. */
  showProblem(text) {
    setText(this.problem, text);
    this.problem.hidden = text === "";
  }

  close() {
    this.#off();
    this.#stopMeter();
    this.toggles.close();
    this.picker.close();
    this.video.srcObject = null;
    this.element.remove();
  }

  #preview() {
    this.video = h("video", { class: "preview-video", autoplay: true, playsInline: true, muted: true, disablePictureInPicture: true,
      "aria-label": t("prejoin.previewVideo") });
    this.video.defaultMuted = true;
    this.previewText = h("p", { class: "preview-text", role: "status" });
    this.level = h("span", { class: "level", "aria-hidden": "true" }, h("span", { class: "level-bar" }));
    return h("section", { class: "preview", "aria-label": t("prejoin.preview") }, this.video, this.previewText, this.level,
      h("div", { class: "preview-controls" }, this.toggles.elements));
  }

  #problems() {
    this.errors = h("ul", { class: "media-errors", role: "list" });
    this.retry = h("button", { class: "secondary", type: "button", hidden: true, onclick: () => void this.#media.open() }, t("prejoin.retry"));
    return h("div", { class: "media-problems", role: "alert" }, this.errors, this.retry);
  }

  #form() {
    return h("form", { class: "join-form", noValidate: true, onsubmit: (event) => void this.#submit(event) },
      this.heading,
      h("div", { class: "field" }, h("label", { for: "name" }, t("prejoin.name")), this.name, this.nameError),
      h("div", { class: "field" }, h("label", { for: "room" }, t("prejoin.room")), this.room, this.roomError,
        h("p", { id: "room-hint", class: "hint" }, t("prejoin.roomHint"))),
      this.problem, this.button);
  }

  async #submit(event) {
    event.preventDefault();
    if (this.button.disabled) return;
    const name = this.name.value.trim();
    const room = cleanRoom(this.room.value);
    const roomError = room === "" ? t("prejoin.roomMissing") : isTooLong(room) ? t("prejoin.roomTooLong") : "";
    complain(this.name, this.nameError, name === "" ? t("prejoin.nameMissing") : "");
    complain(this.room, this.roomError, roomError);
    if (name === "") return this.name.focus();
    if (roomError) return this.room.focus();

    this.showProblem("");
    this.#busy(true);
    try {
      await this.#onjoin({ name, room });
    } catch (error) {
      this.showProblem(error.message);
      this.#busy(false);
      this.button.focus();
    }
  }

  #busy(busy) {
    this.button.disabled = busy;
    setText(this.button, t(busy ? "prejoin.joining" : "prejoin.join"));
  }

  #show() {
    const { tracks, errors, cameraOff, starting } = this.#media;
    // Never a stream without a picture: the browser would wait for one and call the page unfinished until then.
    const stream = tracks.camera ? this.#media.stream : null;
    if (this.video.srcObject !== stream) this.video.srcObject = stream;
    this.video.classList.toggle("preview-empty", !stream);
    const text = tracks.camera ? "" : starting ? "prejoin.waiting" : cameraOff ? "prejoin.previewOff" : "prejoin.previewNone";
    setText(this.previewText, text && t(text));
    const problems = explain(errors);
    if (problems.join() !== [...this.errors.children].map((item) => item.textContent).join()) {
      this.errors.replaceChildren(...problems.map((problem) => h("li", {}, icon("warning"), h("span", {}, problem))));
    }
    const hopeless = [errors.camera, errors.microphone].every((error) => !error || error.cause === "insecure");
    this.retry.hidden = problems.length === 0 || hopeless;
    this.#meterOf(this.#media.status.muted ? null : tracks.microphone);
  }

  #meterOf(track) {
    if (this.#metered === track) return;
    this.#metered = track;
    this.level.hidden = !track;
    this.#stopMeter();
    this.#stopMeter = track ? meter(track, (level) => this.level.style.setProperty("--level", level.toFixed(2))) : () => {};
  }
}

function complain(input, place, text) {
  setText(place, text);
  input.setAttribute("aria-invalid", text !== "");
}
