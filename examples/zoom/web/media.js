import { captureAll, captureOne, listDevices } from "./capture.js";
import { Emitter } from "./emitter.js";
import { MediaError, mediaFailure } from "./mediaerror.js";

const KINDS = ["camera", "microphone"];

/**
 * One's own camera and microphone: the tracks that run now, and what the person wants of them.
 *
 * `muted` and `cameraOff` are wishes, kept apart from the tracks: a new microphone starts as muted as the old one
 * was, and a camera that comes late finds out that it isn't wanted any more. A muted microphone keeps running
 * (unmuting must be instant); a camera that is off is stopped, so its light goes out. Every track that is replaced
 * is stopped. Devices are asked for one after the other, never at once.
 *
 * Emits "track" `{kind, track}` when one is replaced, and "change" after anything a screen may show.
 */
export class LocalMedia extends Emitter {
  /** Holds the running tracks, for the own picture and to keep sound and picture in step at the receivers. */
  stream = new MediaStream();
  tracks = { camera: null, microphone: null };
  errors = { camera: null, microphone: null };
  devices = { camera: [], microphone: [] };
  /** True from the first request until the browser answered it. */
  starting = false;

  #prefs;
  #open = false;
  #queue = Promise.resolve();
  #refresh = () => void this.#listDevices();

  constructor(prefs) {
    super();
    this.#prefs = prefs;
    this.muted = prefs.get("muted");
    this.cameraOff = prefs.get("cameraOff");
  }

  /** Starts what is wanted. Resolves when it runs or has an error; it never rejects. */
  open() {
    if (!this.#open) navigator.mediaDevices?.addEventListener?.("devicechange", this.#refresh);
    this.#open = true;
    return this.#inTurn(async () => {
      const kinds = KINDS.filter((kind) => this.#wants(kind) && !this.tracks[kind]);
      if (kinds.length === 0) return;
      this.starting = true;
      this.emit("change");
      const { tracks, errors } = await captureAll(kinds, this.#choices());
      this.starting = false;
      for (const kind of kinds) this.#take(kind, tracks[kind], errors[kind]);
      await this.#listDevices();
    });
  }

  /** Stops everything, at once. */
  close() {
    this.#open = false;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#refresh);
    for (const kind of KINDS) this.#replace(kind, null);
  }

  async setMuted(muted) {
    this.muted = muted;
    this.#prefs.set("muted", muted);
    if (this.tracks.microphone) this.tracks.microphone.enabled = !muted;
    this.emit("change");
    if (!muted) await this.#inTurn(() => this.#start("microphone"));
  }

  async setCameraOff(off) {
    this.cameraOff = off;
    this.#prefs.set("cameraOff", off);
    if (off) {
      this.errors.camera = null;
      this.#replace("camera", null);
      this.emit("change");
    } else {
      await this.#inTurn(() => this.#start("camera"));
    }
  }

  /** Changes to another device; one that is off stays off and will start with this device. */
  async choose(kind, deviceId) {
    this.#prefs.set(kind, deviceId);
    this.emit("change");
    if (this.#wants(kind)) await this.#inTurn(() => this.#start(kind, deviceId));
  }

  /** The device in use, else the one that would be. */
  chosen(kind) {
    return this.tracks[kind]?.getSettings().deviceId ?? this.#prefs.get(kind);
  }

  /** What the others should see: a device that isn't there is off, too. */
  get status() {
    return { muted: this.muted || !this.tracks.microphone, cameraOff: !this.tracks.camera };
  }

  async #start(kind, deviceId) {
    if (!this.#wants(kind) || (this.tracks[kind] && !deviceId)) return;
    try {
      this.#take(kind, await this.#capture(kind, deviceId));
    } catch (error) {
      this.#take(kind, undefined, error);
    }
    await this.#listDevices();
  }

  async #capture(kind, deviceId) {
    const exact = Boolean(deviceId);
    const wish = deviceId ?? this.#prefs.get(kind);
    try {
      return await captureOne(kind, wish, exact);
    } catch (error) {
      // Phones open one camera at a time: let go of the old one and ask again.
      if (!this.tracks[kind] || !["NotReadableError", "AbortError"].includes(error.name)) throw error;
      this.#replace(kind, null);
      return await captureOne(kind, wish, exact);
    }
  }

  #take(kind, track, error) {
    if (track && !this.#wants(kind)) {
      track.stop(); // came too late: turned off, or the page was left meanwhile
    } else if (track) {
      this.errors[kind] = null;
      this.#replace(kind, track);
    } else if (error) {
      this.errors[kind] = new MediaError(kind, error);
    }
    this.emit("change");
  }

  #replace(kind, track) {
    const old = this.tracks[kind];
    if (old === track) return;
    if (old) {
      this.stream.removeTrack(old);
      old.stop();
    }
    if (track) {
      if (kind === "microphone") track.enabled = !this.muted;
      track.addEventListener("ended", () => this.#ended(kind, track));
      this.stream.addTrack(track);
    }
    this.tracks[kind] = track;
    this.emit("track", { kind, track });
    this.emit("change");
  }

  /** A device was unplugged or its permission withdrawn. Another microphone steps in; another camera must be asked for. */
  #ended(kind, track) {
    if (this.tracks[kind] !== track) return;
    this.#replace(kind, null);
    this.errors[kind] = new MediaError(kind, mediaFailure("EndedError"));
    this.emit("change");
    if (kind === "microphone") void this.#inTurn(() => this.#start(kind));
  }

  async #listDevices() {
    this.devices = await listDevices().catch(() => this.devices);
    this.emit("change");
  }

  #wants(kind) {
    return this.#open && !(kind === "camera" && this.cameraOff);
  }

  #choices() {
    return { camera: this.#prefs.get("camera"), microphone: this.#prefs.get("microphone") };
  }

  #inTurn(task) {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(reportError);
    return this.#queue;
  }
}
