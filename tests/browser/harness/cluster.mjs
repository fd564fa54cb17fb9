import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

/** Where Debian has it, outside of the path of all but root. */
const HAPROXY = existsSync("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy";
const CONFIG = new URL("../../../examples/cluster/haproxy.cfg", import.meta.url);

/** Nodes of one service that meet in a Redis of their own, and, with `balanced`, a load balancer before them. */
export class Cluster {
  nodes = [];
  #flags;
  #programs = [];
  #folder;

  static async start(count, { flags = [], balanced = false } = {}) {
    const cluster = new Cluster();
    try {
      await cluster.#start(count, flags, balanced);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #start(count, flags, balanced) {
    this.#folder = await mkdtemp(path.join(tmpdir(), "noom-cluster-"));
    const redis = await freePort();
    const disk = ["--save", "", "--appendonly", "no", "--dir", this.#folder];
    await this.#run("redis-server", ["--port", String(redis), "--bind", "127.0.0.1", ...disk], redis);
    this.#flags = ["--redis", `redis://127.0.0.1:${redis}`, ...flags, ...(balanced ? ["--proxies", "1"] : [])];
    for (let index = 0; index < count; index += 1) await this.begin(index);
    if (balanced) await this.#balance();
  }

  /** Starts a node, or starts it anew in its old place. */
  async begin(index) {
    const port = this.nodes[index] ? new URL(this.nodes[index].url).port : 0;
    this.nodes[index] = await startServer(this.#flags, { port });
  }

  /** Kills a node. */
  async kill(index) {
    await this.nodes[index].stop();
  }

  /** Asks a node to go, and waits until it has. */
  async drain(index) {
    await this.nodes[index].drain();
  }

  async stop() {
    await Promise.all(this.nodes.map((node) => node.stop()));
    for (const program of this.#programs.reverse()) await end(program);
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  /** The load balancer of the example, with these nodes behind it. */
  async #balance() {
    const port = await freePort();
    const servers = this.nodes.map(({ url }, index) => `    server node${index + 1} ${new URL(url).host}`).join("\n");
    const config = (await readFile(CONFIG, "utf8"))
      .replace(/^ {4}bind .*$/m, `    bind 127.0.0.1:${port}`)
      .replace(/(^ {4}server .*\n)+/m, () => `${servers}\n`);
    const file = path.join(this.#folder, "haproxy.cfg");
    await writeFile(file, config);
    await this.#run(HAPROXY, ["-db", "-f", file], port);
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a program, and waits until it listens. */
  async #run(command, flags, port) {
    const program = spawn(command, flags, { stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const stream of [program.stdout, program.stderr]) stream.on("data", (text) => said.push(text));
    // A run that is broken off leaves nothing behind.
    program.killed = () => program.kill("SIGKILL");
    process.once("exit", program.killed);
    this.#programs.push(program);
    let failed;
    program.on("error", ({ message }) => (failed = `doesn't start: ${message}. Install it: apt-get install ${path.basename(command)}`));
    program.on("exit", (code) => (failed ??= `ended with ${code}; it said:\n${said.join("")}`));
    await until(`${command} listens`, () => {
      if (failed) throw new Error(`${command} ${failed}`);
      return isListening(port);
    });
  }
}

async function end(program) {
  process.off("exit", program.killed);
  if (program.pid === undefined || program.exitCode !== null || program.signalCode !== null) return;
  const gone = once(program, "exit");
  program.kill("SIGKILL");
  await gone;
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false)).on("close", () => socket.destroy());
    socket.on("connect", () => socket.end());
  });
}
