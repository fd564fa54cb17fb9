import assert from "node:assert/strict";
import { test } from "node:test";
import { SignalClient } from "../src/index.js";
import { code, connected, outcome, pair } from "./support/client.js";

test("http becomes ws, and the first frame is a hello", async (t) => {
  const { server, signal, hello } = await connected(t, { token: async () => "t1" });
  assert.equal(server.last.url, "ws://host/signal");
  assert.equal(server.last.protocol, "noom.v1");
  assert.equal(hello.resumed, "new");
  assert.equal(signal.peer, "peer-001");
  assert.equal(signal.state, "open");
  assert.equal(signal.iceServers[0].urls, "stun:stun.example");
});

test("requests resolve with their reply", async (t) => {
  const { server, signal } = await connected(t);
  const joined = signal.join("standup", { meta: { name: "Mina" } });
  await server.run();
  assert.equal((await joined).version, 1);
  const replies = Promise.all([
    signal.update("standup", { name: "M" }),
    signal.send("standup", "*", { any: 1 }),
    signal.watchLobby(true),
    signal.watchLobby(false),
    signal.renewIceServers(),
    signal.leave("standup"),
  ]);
  await server.run();
  const [updated, sent, lobby, unwatched, iceServers, left] = await replies;
  assert.deepEqual(updated.meta, { name: "M" });
  assert.equal(sent, undefined);
  assert.deepEqual(lobby.rooms, [{ room: "standup", peers: 1 }]);
  assert.equal(unwatched, undefined);
  assert.equal(iceServers[0].username, "u");
  assert.equal(signal.iceServers, iceServers);
  assert.equal(left.reason, "left");
});

test("a refused request rejects with the error's code, and is no event", async (t) => {
  const { server, signal } = await connected(t);
  const errors = [];
  signal.on("error", (error) => errors.push(error));
  const sent = signal.send("nowhere", "*", 1);
  const seen = assert.rejects(sent, (error) => code("not_in_room")(error) && error.room === "nowhere" && error.to === "*");
  await server.run();
  await seen;
  assert.deepEqual(errors, []);
});

test("the first wait is none, then it grows to its cap; a link that held starts it anew", async (t) => {
  const { server, signal, states, pass } = await connected(t);
  server.up = false;
  server.cut();
  await pass(70_000);
  assert.deepEqual(states, ["connecting", "open", "reconnecting 0", ...[500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000].map((ms) => `reconnecting ${ms}`)]);
  server.up = true;
  await pass(20_000);
  assert.equal(signal.state, "open");
  server.cut();
  await server.run();
  assert.equal(states.at(-1), "reconnecting 0");
  await pass(100);
  server.cut();
  await server.run();
  assert.equal(states.at(-1), "reconnecting 500", "a link that broke at once doesn't count");
});

test("refused for good: unauthorized and replaced end it, and say so", async (t) => {
  const { server, signal } = pair(t, { token: "bad" });
  const refused = assert.rejects(signal.connect(), code("unauthorized"));
  await server.run();
  await refused;
  assert.deepEqual(signal.closed, { code: 4401, reason: "" });
  await assert.rejects(signal.join("room"), code("unauthorized"));
});

test("another connection took the session over", async (t) => {
  const { server, signal, pass } = await connected(t);
  const open = outcome(signal.join("room"));
  server.cut(server.last, 4409);
  await pass(60_000);
  assert.equal(signal.state, "closed");
  assert.equal(open.error, "replaced");
  assert.equal(server.sockets.length, 1, "it does not reconnect");
});

test("a token that can't be had now is asked for again", async (t) => {
  let asked = 0;
  const token = async () => {
    asked += 1;
    if (asked < 3) throw new Error("offline");
    return "good";
  };
  const { server, signal, pass } = pair(t, { token });
  const reasons = [];
  signal.on("state", ({ reason }) => reason && reasons.push(reason.reason));
  void signal.connect();
  await server.run();
  await pass(2000);
  assert.equal(signal.state, "open");
  assert.deepEqual(reasons, ["Error: offline", "Error: offline"]);
});

test("an attempt that hangs is given up", async (t) => {
  const { server, signal, states, pass } = pair(t);
  void signal.connect();
  const socket = server.last ?? (await server.run(0), server.last);
  socket.wire = [];
  await pass(10_000);
  assert.ok(states.includes("connecting 0"));
  assert.equal(signal.state, "open");
  assert.equal(socket.closedWith, 4000);
});

test("pings confirm frames, and an unanswered one means the link is dead", async (t) => {
  const { server, signal, pass } = await connected(t);
  void signal.join("room");
  await server.run();
  const session = server.last.session;
  assert.equal(session.ring.length, 1);
  await pass(25_000);
  assert.equal(session.ring.length, 0, "the ping told what we have");
  const [dead] = server.sockets;
  dead.far.text = () => {};
  await pass(34_000);
  assert.equal(signal.state, "open");
  await pass(2000);
  assert.equal(dead.closedWith, 4000, "not a code that would end the session");
  assert.equal(server.sockets.length, 2);
  assert.equal(server.last.session, session, "resumed");
});

test("a busy link is confirmed in between, in both directions", async (t) => {
  const { server, signal, pass } = await connected(t);
  void signal.join("room");
  await server.run();
  const session = server.last.session;
  for (let count = 0; count < 900; count += 1) {
    void signal.send("room", "*", count);
    await pass(11, 11);
  }
  assert.ok(session.ring.length < 200, `${session.ring.length} frames unconfirmed`);
  assert.equal(session.received, 901);
});

test("everything that waits has a bound", async (t) => {
  const { server, signal } = await connected(t, { maxRequests: 600 });
  server.up = false;
  server.cut();
  const outcomes = Array.from({ length: 520 }, (_, count) => outcome(signal.send("room", "*", count)));
  await server.run();
  assert.equal(outcomes[511].error, undefined);
  assert.equal(outcomes[512].error, "backlog");
  const big = outcome(signal.send("room", "*", "é".repeat(33_000)));
  await server.run();
  assert.equal(big.error, "too_large");
});

test("in part: what was under way is lost, what was not sent yet goes out", async (t) => {
  const { server, signal, pass } = await connected(t);
  void signal.join("room");
  await server.run();
  const { session } = server.last;
  const under = outcome(signal.send("room", "*", "under way"));
  session.lossy = true;
  server.cut();
  const waiting = outcome(signal.send("room", "*", "waiting"));
  const resets = [];
  signal.on("reset", () => resets.push(1));
  await pass(1000);
  assert.equal(under.error, "lost");
  assert.equal(waiting.value, "done");
  assert.deepEqual(resets, []);
  assert.equal(session.received, 1, "counts began anew");
});

test("a lost session is a reset", async (t) => {
  const { server, signal, pass } = await connected(t);
  const events = [];
  for (const type of ["state", "hello", "reset"]) signal.on(type, ({ state }) => events.push(state ?? type));
  server.forget();
  server.cut();
  await pass(1000);
  assert.deepEqual(events, ["reconnecting", "open", "hello", "reset"]);
  assert.equal(signal.peer, "peer-002");
});

test("a frame that closed the connection isn't sent again", async (t) => {
  const { server, signal, pass } = await connected(t);
  void signal.join("room");
  await server.run();
  const socket = server.last;
  socket.far.text = () => {};
  const [bad, good] = [outcome(signal.send("room", "*", "bad")), outcome(signal.send("room", "*", "good"))];
  server.cut(socket, 1009);
  await pass(1000);
  assert.equal(bad.error, "refused");
  assert.equal(good.value, "done");
});

test("a draining server: the client comes back when asked, in its session", async (t) => {
  const { server, signal, states, pass } = await connected(t);
  const { session } = server.last;
  server.send(session, { type: "goaway", reason: "draining", reconnectMs: 1800 });
  await server.run();
  const [first] = server.sockets;
  await pass(1000);
  assert.equal(signal.state, "open");
  server.cut(first, 1001);
  await pass(700);
  assert.equal(server.sockets.length, 1, "not before its time");
  await pass(200);
  assert.equal(signal.state, "open");
  assert.equal(server.last.session, session);
  assert.deepEqual(states, ["connecting", "open", "reconnecting 800", "open"]);
  server.send(session, { type: "goaway", reason: "draining", reconnectMs: 500 });
  await pass(600);
  assert.equal(server.sockets[1].closedWith, 4000);
  assert.equal(server.last.session, session);
});

test("frames that make no sense are ignored and counted", async (t) => {
  const { server, signal, pass } = await connected(t);
  const unknown = [];
  signal.on("unknown", ({ ignored }) => unknown.push(ignored));
  const socket = server.last;
  const counted = ["", "null", "[]", "{", "7", '{"type":"news"}', '{"type":["pong"]}', '{"type":"state"}', '{"type":"welcome","room":1}', '{"type":"__proto__"}', '{"type":"joined","room":"r","version":1,"peers":[null]}'];
  const uncounted = ['{"type":"pong"}', '{"type":"pong","received":1e99}', '{"type":"hello"}', '{"type":"lobby","rooms":7}', '{"type":"goaway"}'];
  for (const text of [...counted, ...uncounted]) socket.deliver(text);
  socket.deliver(new ArrayBuffer(1));
  socket.deliver('{"type":"pong","received":99}');
  socket.deliver('{"type":"ack","id":12345}');
  assert.equal(unknown.length, counted.length + uncounted.length);
  assert.equal(signal.ignored, unknown.length);
  const pings = [];
  socket.far.text = (text) => pings.push(JSON.parse(text));
  await pass(25_000);
  assert.deepEqual(pings, [{ type: "ping", received: counted.length + 1 }]);
});

test("a listener that throws stops nothing", async (t) => {
  const { server, signal } = await connected(t);
  const reported = t.mock.method(console, "error", () => {});
  const seen = [];
  signal.on("joined", () => {
    throw new Error("mine");
  });
  const off = signal.on("joined", () => seen.push(1));
  const joined = signal.join("room");
  await server.run();
  await joined;
  off();
  assert.deepEqual(seen, [1]);
  assert.equal(reported.mock.callCount(), 1);
});

test("the page: back online retries at once, a hidden page may come back, a closed one says bye", async (t) => {
  const { server, signal, states, pass, show } = await connected(t);
  const { session } = server.last;
  server.up = false;
  server.cut();
  await pass(9000);
  server.up = true;
  show("online");
  await server.run();
  assert.equal(signal.state, "open");

  show("visibilitychange");
  server.last.far.text = () => {};
  show("visibilitychange");
  await pass(3100);
  assert.equal(server.last.session, session, "a dead link shows at once when the user is back");
  assert.equal(signal.state, "open");

  show("pagehide", { persisted: true });
  assert.equal(server.last.closedWith, 4000);
  await pass(60_000);
  assert.equal(signal.state, "reconnecting");
  show("pageshow", { persisted: true });
  await server.run();
  assert.equal(signal.state, "open");
  assert.equal(server.last.session, session);

  show("pagehide", { persisted: false });
  assert.equal(server.last.closedWith, 1000);
  assert.equal(signal.state, "closed");
  assert.equal(states.at(-1), "closed");
  assert.equal(server.sessions.size, 0);
});

test("closing rejects what is open, and nothing goes on", async (t) => {
  const { server, signal, pass } = await connected(t);
  const open = outcome(signal.join("room"));
  signal.close();
  signal.close();
  await pass(60_000);
  assert.equal(open.error, "closed");
  assert.equal(server.sockets.length, 1);
  await assert.rejects(signal.send("room", "*", 1), code("closed"));
  const never = new SignalClient("ws://host/", { WebSocket: server.WebSocket });
  never.close();
  await assert.rejects(never.connect(), code("closed"));
});
