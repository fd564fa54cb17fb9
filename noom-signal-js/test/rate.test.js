import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, outcome } from "./support/client.js";

/** When each frame was taken, and how long it was. */
function taken(server) {
  const frames = [];
  server.onTaken = (_session, message) => frames.push({ at: Date.now(), bytes: Buffer.byteLength(JSON.stringify(message)) });
  return frames;
}

/** Whether a bucket as the server's would have let all of it through. */
function within(frames, perSecond, burst, cost) {
  let [tokens, last] = [burst, frames[0].at];
  return frames.every((frame) => {
    tokens = Math.min(burst, tokens + ((frame.at - last) * perSecond) / 1000) - cost(frame);
    last = frame.at;
    return tokens >= 0;
  });
}

test("a backlog above the burst is spread", async (t) => {
  const { server, signal, pass } = await connected(t, {}, { limits: { messagesPerSecond: 10, burst: 20 } });
  const frames = taken(server);
  for (let count = 0; count < 40; count += 1) signal.send("room", "*", count).catch(() => {});
  await pass(10_000, 10);
  assert.equal(frames.length, 40);
  assert.ok(within(frames, 10, 20, () => 1), "no faster than allowed");
});

test("so is one above the burst in bytes, as UTF-8 has them", async (t) => {
  const { server, signal, pass } = await connected(t, {}, { limits: { bytesPerSecond: 10_000, byteBurst: 20_000 } });
  const frames = taken(server);
  for (let count = 0; count < 20; count += 1) signal.send("room", "*", count % 2 ? "é".repeat(1500) : "e").catch(() => {});
  await pass(1000, 10);
  assert.ok(frames.length >= 10 && frames.length < 20, `${frames.length} at once`);
  await pass(5000, 10);
  assert.equal(frames.length, 20);
  assert.ok(within(frames, 10_000, 20_000, ({ bytes }) => bytes), "no faster than allowed");
});

test("a message larger than what is used of the burst goes when all of it is there", async (t) => {
  const { server, signal, pass } = await connected(t, {}, { limits: { messageBytes: 10_000, bytesPerSecond: 1000, byteBurst: 10_000 } });
  const frames = taken(server);
  const large = outcome(signal.send("room", "*", "e".repeat(9900)));
  const next = outcome(signal.send("room", "*", "next"));
  await pass(100, 10);
  assert.deepEqual([frames.length, next.value ?? next.error], [1, undefined]);
  await pass(5000, 10);
  assert.equal(frames.length, 2);
  assert.ok(large.error === "not_in_room" && next.error === "not_in_room", "both were answered");
});

test("a rate of 0 is none, and a server that names no bytes has no limit for them", async (t) => {
  const { server, signal, pass } = await connected(t, {}, { limits: { messagesPerSecond: 0, burst: 1 } });
  assert.equal(signal.limits.messagesPerSecond, 0);
  const frames = taken(server);
  for (let count = 0; count < 400; count += 1) signal.send("room", "*", "e".repeat(1000)).catch(() => {});
  await pass(10, 10);
  assert.equal(frames.length, 400);
});

test("refused as too fast, the client begins with an empty bucket", async (t) => {
  const { server, signal, pass } = await connected(t, {}, { limits: { messagesPerSecond: 10, burst: 20, bytesPerSecond: 1000, byteBurst: 20_000 } });
  const frames = taken(server);
  server.send(server.last.session, { type: "error", code: "rate_limited", message: "slowly", retryAfterMs: 100 });
  await server.run();
  signal.send("room", "*", "one").catch(() => {});
  await pass(50, 10);
  assert.equal(frames.length, 0);
  await pass(200, 10);
  assert.equal(frames.length, 1);
});
