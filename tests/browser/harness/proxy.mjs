import { once } from "node:events";
import net from "node:net";

/**
 * A network cable to the server that can be damaged: `freeze()` swallows every byte both ways and closes nothing,
 * as a dead mobile network does; `hold()` keeps them back, as TCP does through a tunnel, and `mend()` lets them go on;
 * `cut()` breaks the connections and refuses new ones until `mend()`.
 */
export class Proxy {
  #server;
  #sockets = new Set();
  #frozen = false;
  #holding = false;
  #refusing = false;

  static async to(url) {
    const proxy = new Proxy();
    const { hostname, port } = new URL(url);
    proxy.#server = net.createServer((client) => proxy.#accept(client, Number(port), hostname));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  freeze() {
    this.#frozen = true;
  }

  hold() {
    this.#holding = true;
    for (const socket of this.#sockets) socket.pause();
  }

  cut() {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#frozen = false;
    this.#refusing = false;
    this.#holding = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close() {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client, port, host) {
    if (this.#refusing) return client.resetAndDestroy();
    const server = net.connect(port, host);
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on("data", (bytes) => !this.#frozen && to.write(bytes));
      if (this.#holding) from.pause(); // after the listener, which would make it flow
      from.on("end", () => !this.#frozen && to.end());
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        if (!this.#frozen) to.destroy();
      });
    }
  }
}
