import assert from "node:assert/strict";
import { test } from "node:test";
import { SignalClient, SignalError } from "../src/index.js";
import { FakeServer } from "./support/server.js";

/** A connected client and its server. */
async function connected(t, options = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const server = new FakeServer();
  const signal = new SignalClient("http://host/signal", { WebSocket: server.WebSocket, random: () => 1, ...options });
  t.after(() => signal.close());
  const hello = signal.connect();
  await server.run();
  return { server, signal, hello: await hello };
}

test("http becomes ws, and the first frame is a hello", async (t) => {
  const { server, signal, hello } = await connected(t, { token: async () => "t1", client: "test" });
  assert.equal(server.last.url, "ws://host/signal");
  assert.equal(server.last.protocol, "noom.v1");
  assert.equal(hello.resumed, "new");
  assert.equal(signal.peer, "peer-001");
  assert.equal(signal.state, "open");
});

test("requests resolve with their reply", async (t) => {
  const { server, signal } = await connected(t);
  const joined = signal.join("standup", { meta: { name: "Mina" } });
  await server.run();
  assert.equal((await joined).version, 1);
  const updated = signal.update("standup", { name: "M" });
  const left = signal.leave("standup");
  await server.run();
  assert.deepEqual((await updated).meta, { name: "M" });
  assert.equal((await left).reason, "left");
});

test("a refused request rejects with the error's code", async (t) => {
  const { server, signal } = await connected(t);
  const errors = [];
  signal.on("error", (error) => errors.push(error));
  const sent = signal.send("nowhere", "*", 1);
  const seen = assert.rejects(sent, (error) => error instanceof SignalError && error.code === "not_in_room" && error.room === "nowhere" && error.to === "*");
  await server.run();
  await seen;
  assert.deepEqual(errors, [], "an error that answers a request is no event");
});
