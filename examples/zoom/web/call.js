import { Mesh, SignalClient, SignalError } from "/noom-signal/index.js";
import { Emitter } from "./emitter.js";
import { shownName } from "./name.js";

/** The slots of a peer's tracks, in the order a connection offers them. */
const SLOTS = ["microphone", "camera"];
const CHAT = "chat";
const LONGEST_MESSAGE = 4000;
/** The close code of a session that was resumed elsewhere. */
const REPLACED = 4409;
/** Failures of an update that waiting helps. */
const PASSING = new Set(["lost", "unavailable", "rate_limited", "backlog", "not_in_room"]);
const RETRY_MS = 2000;

/**
 * One stay in one room: the signaling client, the mesh of connections, and one's own tracks in it. It knows no DOM.
 *
 * Emits "people" when anyone came, went or changed; "joined" and "left" `{name}` for others; "signal" with the
 * signaling state; "chat" `{name, text, own, at}`; and "ended" with a reason, once, whoever ended it.
 */
export class Call extends Emitter {
  #signal;
  #mesh;
  #media;
  #name;
  #joined = false;
  #ended = false;
  #offs = [];
  #toldMeta = "";
  #telling = false;

  constructor({ room, name, media }) {
    super();
    this.room = room;
    this.#name = name;
    this.#media = media;
    this.#signal = new SignalClient(new URL("/signal", location.href).href, { client: "zoom/1.0" });
    this.#mesh = new Mesh(this.#signal, room);
  }

  /** Connects and enters the room. Rejects with what the server said, and then leaves nothing behind. */
  async join() {
    this.#listen();
    try {
      await this.#connect();
      for (const slot of SLOTS) await this.#mesh.setTrack(slot, this.#media.tracks[slot], this.#media.stream);
      this.#mesh.openChannel(CHAT);
      const meta = this.meta;
      await this.#mesh.join({ meta });
      this.#joined = true;
      this.#toldMeta = JSON.stringify(meta);
      this.#tell();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Leaves: connections close, the others see one go. The own devices are the caller's. */
  leave() {
    if (this.#ended) return;
    for (const off of this.#offs.splice(0)) off();
    // Both at once: while the server is away nobody should wait for it to take a farewell.
    this.#mesh.leave().catch(() => {});
    this.#close();
    this.emit("ended", "left");
  }

  /** The page is going away: no time to wait for anything. */
  abandon() {
    this.#close();
  }

  /** What the others are told about oneself. */
  get meta() {
    return { name: this.#name, ...this.#media.status };
  }

  get signalState() {
    return this.#signal.state;
  }

  /** The others, by peer id. */
  get peers() {
    return this.#mesh.peers;
  }

  /** Sends a chat message to everyone; false when there was nobody to hear it. */
  sendChat(text) {
    const message = text.trim().slice(0, LONGEST_MESSAGE);
    if (this.#mesh.sendData(CHAT, JSON.stringify({ text: message })) === 0) return false;
    this.emit("chat", { name: shownName(this.#name), text: message, own: true, at: new Date() });
    return true;
  }

  /** The client tries for as long as it takes; before there is a call, the person decides whether to try again. */
  #connect() {
    return new Promise((resolve, reject) => {
      this.#offs.push(this.#signal.on("state", ({ state, reason }) => {
        if (state === "connecting" && reason) reject(new SignalError("connection", reason.reason));
      }));
      this.#signal.connect().then(resolve, reject);
    });
  }

  #listen() {
    const people = () => this.emit("people");
    this.#offs.push(
      this.#signal.on("state", (change) => this.#signalChanged(change)),
      this.#media.on("track", ({ kind, track }) => this.#mesh.setTrack(kind, track, this.#media.stream).catch(reportError)),
      this.#media.on("change", () => this.#tell()),
      this.#mesh.on("peer", ({ peer }) => (people(), this.emit("joined", { name: shownName(peer.meta.name) }))),
      this.#mesh.on("peerleft", ({ peer }) => (people(), this.emit("left", { name: shownName(peer.meta.name) }))),
      this.#mesh.on("peerupdated", people),
      this.#mesh.on("peerrenamed", people),
      this.#mesh.on("track", people),
      this.#mesh.on("trackended", people),
      this.#mesh.on("state", people),
      this.#mesh.on("left", ({ reason }) => this.#end(["kicked", "closed"].includes(reason) ? reason : "lost")),
      this.#mesh.on("error", ({ error }) => console.warn(error)),
      this.#mesh.on("data", ({ peer, label, data }) => label === CHAT && this.#heard(peer, data)),
    );
  }

  #signalChanged({ state, reason }) {
    this.emit("signal", state);
    if (state === "closed") this.#end(reason?.code === REPLACED ? "elsewhere" : "lost");
  }

  #heard(peer, data) {
    let text;
    try {
      ({ text } = JSON.parse(data));
    } catch {
      return; // not a chat message of ours
    }
    if (typeof text !== "string" || text.trim() === "") return;
    this.emit("chat", { name: shownName(peer.meta.name), text: text.slice(0, LONGEST_MESSAGE), own: false, at: new Date() });
  }

  /** Tells the others of changed meta, one update at a time and only the latest. */
  async #tell() {
    this.emit("people");
    if (this.#telling || this.#toldMeta === "") return;
    this.#telling = true;
    while (!this.#ended && JSON.stringify(this.meta) !== this.#toldMeta) {
      const meta = this.meta;
      try {
        await this.#mesh.updateMeta(meta);
        this.#toldMeta = JSON.stringify(meta);
      } catch (error) {
        if (this.#ended) break;
        if (!PASSING.has(error.code)) {
          reportError(error);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? RETRY_MS));
      }
    }
    this.#telling = false;
  }

  #end(reason) {
    if (this.#ended || !this.#joined) return; // what fails on the way in is told by `join`
    this.#close();
    this.emit("ended", reason);
  }

  #close() {
    this.#ended = true;
    for (const off of this.#offs.splice(0)) off();
    this.#signal.close();
  }
}
