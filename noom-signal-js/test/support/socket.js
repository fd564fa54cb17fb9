/** A WebSocket whose other end is in the test. */
export class FakeSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  readyState = FakeSocket.CONNECTING;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  /** The code the client closed with. */
  closedWith;
  /** Set by the far end. */
  far = { text: () => {}, closed: () => {} };

  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
  }

  send(text) {
    if (this.readyState === FakeSocket.CONNECTING) throw new DOMException("still connecting", "InvalidStateError");
    if (this.readyState === FakeSocket.OPEN) this.far.text(text);
  }

  close(code = 1005) {
    if (code !== 1005 && code !== 1000 && (code < 3000 || code > 4999)) throw new DOMException("code", "InvalidAccessError");
    if (this.readyState >= FakeSocket.CLOSING) return;
    this.closedWith = code;
    this.readyState = FakeSocket.CLOSED;
    this.far.closed(code);
  }

  // The far end's side.

  accept() {
    if (this.readyState !== FakeSocket.CONNECTING) return;
    this.readyState = FakeSocket.OPEN;
    this.onopen?.({});
  }

  deliver(data) {
    if (this.readyState === FakeSocket.OPEN) this.onmessage?.({ data });
  }

  /** The link ends; the client sees this code. */
  end(code = 1006, reason = "") {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    if (code === 1006) this.onerror?.({});
    this.onclose?.({ code, reason });
  }
}
