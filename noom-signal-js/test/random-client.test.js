import assert from "node:assert/strict";
import { test } from "node:test";
import { SignalClient } from "../src/index.js";
import { random } from "./support/party.js";
import { FakeServer } from "./support/server.js";

/**
 * Two clients send numbers to each other while their links are cut at every possible place. As long as
 * the session lives on whole, each number arrives once and in order, and each promise resolves.
 */
for (let seed = 1; seed <= 60; seed += 1) {
  test(`cut and resume, seed ${seed}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
    const next = random(seed);
    const server = new FakeServer();
    const clients = [];
    for (let count = 0; count < 2; count += 1) {
      const signal = new SignalClient("ws://host/", { WebSocket: server.WebSocket, random: next });
      t.after(() => signal.close());
      void signal.connect();
      await server.run();
      void signal.join("room");
      await server.run();
      const client = { signal, sent: 0, acked: 0, got: [], resumed: [], secret: server.last.session.secret };
      signal.on("message", ({ data }) => client.got.push(data));
      signal.on("hello", ({ resumed }) => client.resumed.push(resumed));
      clients.push(client);
    }
    const failures = [];
    for (let step = 0; step < 120; step += 1) {
      const client = next.of(clients);
      const other = clients.find((each) => each !== client);
      const action = next.below(10);
      if (action < 6) {
        const to = next() < 0.5 ? "*" : other.signal.peer;
        client.sent += 1;
        client.signal.send("room", to, client.sent).then(
          () => (client.acked += 1),
          (error) => failures.push(error),
        );
      } else if (action < 8) {
        const { socket } = server.sessions.get(client.secret);
        if (socket) server.cut(socket, next.of([1006, 4408, 4410, 1001]));
      } else if (action === 8) {
        server.up = next() < 0.8;
      } else {
        t.mock.timers.tick(next.below(30_000));
      }
      await server.run(next.below(8));
    }
    server.up = true;
    for (let passed = 0; passed < 120; passed += 1) {
      t.mock.timers.tick(500);
      await server.run();
    }
    for (const [index, client] of clients.entries()) {
      const other = clients[1 - index];
      assert.deepEqual(other.got, Array.from({ length: client.sent }, (_, number) => number + 1));
      assert.equal(client.acked, client.sent);
      assert.ok(client.resumed.every((resumed) => resumed === "full"));
    }
    assert.deepEqual(failures, []);
  });
}
