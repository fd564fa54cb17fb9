/** @typedef {{ code: number, reason: string }} Ending */

const SUBPROTOCOL = "noom.v1";

/**
 * A close code that the server doesn't take for the end of the session, as it would 1000 and 1001.
 * Pages may use 1000 and 3000 to 4999 only.
 */
const RESUMABLE = 4000;

/**
 * One WebSocket. Once it is dropped or closed, nothing more is heard from it: what a session takes
 * after its resume must come from the new connection alone.
 */
export class Connection {
  #socket;

  /**
   * @param {typeof WebSocket} Socket
   * @param {string} url
   * @param {{ hello: () => string, text: (text: string) => void, closed: (ending: Ending) => void }} actions
   *   `hello` gives the first frame, when it can be sent
   */
  constructor(Socket, url, { hello, text, closed }) {
    const socket = new Socket(url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => socket.send(hello());
    // Binary is not part of the protocol: the server neither sends nor counts it.
    socket.onmessage = ({ data }) => typeof data === "string" && text(data);
    socket.onclose = ({ code, reason }) => {
      this.#silence();
      closed({ code, reason });
    };
    // An error event tells nothing, and a close event always follows.
    socket.onerror = () => {};
  }

  /** @param {string} text */
  send(text) {
    this.#socket.send(text);
  }

  /** Gives the connection up; the session stays open for a resume. */
  drop() {
    this.#silence();
    this.#socket.close(RESUMABLE, "resuming");
  }

  /** Ends the session. */
  close() {
    this.#silence();
    this.#socket.close(1000, "closed");
  }

  #silence() {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
  }
}
