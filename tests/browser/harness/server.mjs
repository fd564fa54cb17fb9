import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Short enough that a peer without a goodbye is missed within seconds, long enough for a busy machine. */
const QUICK = ["--resume-ms", "3000", "--heartbeat-ms", "2000"];
const START_MS = 30_000;

/**
 * Starts the app's server, on a free port if none is named. `stop()` kills it, `drain()` asks it to go, as an
 * operator does before an update.
 *
 * @returns {Promise<{url: string, stop: () => Promise<void>, drain: () => Promise<void>}>}
 */
export async function startServer(flags = QUICK, { port = 0 } = {}) {
  const binary = process.env.NOOM_ZOOM_BIN;
  if (!binary) {
    throw new Error("NOOM_ZOOM_BIN is not set: it names the server to test, as in " +
      "`cargo build --release -p zoom && NOOM_ZOOM_BIN=$PWD/target/release/zoom npm --prefix tests/browser test`");
  }
  const server = spawn(binary, ["--listen", `127.0.0.1:${port}`, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  // A run that is broken off leaves no server behind.
  const killed = () => server.kill("SIGKILL");
  process.once("exit", killed);
  const said = [];
  const url = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${binary} ${why}; it said:\n${said.join("\n")}`));
    const timer = setTimeout(() => fail(`named no address within ${START_MS / 1000} s`), START_MS);
    server.on("error", (error) => fail(`doesn't start: ${error.message}`));
    server.on("exit", (code) => fail(`ended with ${code}`));
    for (const stream of [server.stdout, server.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const found = stream === server.stdout && line.match(/https?:\/\/[^\s/]+:\d+/);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      });
    }
  }).catch((error) => {
    server.kill("SIGKILL");
    throw error;
  });
  server.removeAllListeners("exit");
  const end = async (signal) => {
    if (server.exitCode === null && server.signalCode === null) {
      const gone = once(server, "exit");
      server.kill(signal);
      await gone;
    }
    process.off("exit", killed);
  };
  return { url, stop: () => end("SIGKILL"), drain: () => end("SIGTERM") };
}
