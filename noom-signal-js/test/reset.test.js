import assert from "node:assert/strict";
import { test } from "node:test";
import { Party } from "./support/party.js";

const AV = { camera: "video", mic: "audio" };
const changes = (member, from) => member.events.slice(from).filter(({ type }) => ["peer", "peerleft", "trackended", "left", "joined"].includes(type));

test("a server that restarted: all come back as new peers, and no picture is missing meanwhile", async (t) => {
  const party = new Party(t);
  const members = [await party.join(AV), await party.join(AV), await party.join(AV)];
  const marks = members.map(({ events }) => events.length);
  const old = members.map(({ mesh }) => [...mesh.peers.values()]);
  party.server.forget();
  for (const member of members) {
    party.server.cut(party.server.sockets[members.indexOf(member)]);
    // One after the other: at no time does anyone lack a living connection to anyone.
    await party.pass(2000);
    for (const { mesh } of members) {
      const living = [...mesh.peers.values()].filter(({ connectionState, tracks }) => connectionState === "connected" && tracks.size === 2);
      assert.ok(living.length >= 2, "both others are shown");
    }
  }
  assert.deepEqual(party.faults(), []);
  for (const [index, member] of members.entries()) {
    const left = changes(member, marks[index]).filter(({ type }) => type === "peerleft");
    assert.deepEqual(left.map(({ reason }) => reason), ["replaced", "replaced"]);
    assert.deepEqual(left.map(({ peer }) => peer).sort(), old[index].sort());
    assert.ok(left.every(({ peer, successor }) => peer.successor === successor.id && successor.connectionState === "connected"));
    assert.equal(changes(member, marks[index]).find(({ type }) => type === "joined").again, true);
    assert.deepEqual(member.errors, []);
  }
});

test("only our session was lost: the others' tiles stay, on new connections", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const peer = [...one.mesh.peers.values()][0];
  const { connection } = peer;
  const mark = one.events.length;
  party.server.up = false;
  const session = [...party.server.sessions.values()].find((each) => each.peer === one.signal.peer);
  party.server.cut(session.socket);
  party.server.bye("room", session.peer, "disconnected");
  party.server.sessions.delete(session.secret);
  await party.run();
  party.server.up = true;
  await party.pass(20_000);
  assert.equal([...one.mesh.peers.values()][0], peer);
  assert.notEqual(peer.connection, connection);
  assert.equal(connection.signalingState, "closed", "the old one is closed once the new one works");
  assert.deepEqual(changes(one, mark).map(({ type }) => type), ["joined"]);
  assert.deepEqual(party.faults(), []);
  assert.equal(two.mesh.peers.size, 1);
});

test("who does not come back after a restart is gone in the end", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  party.server.forget();
  two.signal.options = undefined;
  party.server.cut(party.server.sockets[0]);
  await party.pass(1000);
  assert.equal(one.mesh.peers.size, 1, "its connection lives");
  await party.pass(30_000);
  assert.equal(one.mesh.peers.size, 0);
});

test("who closes its connection after a restart is gone at once", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  party.server.forget();
  party.server.cut(party.server.sockets[0]);
  await party.pass(1000);
  assert.equal(one.mesh.peers.size, 1);
  two.signal.close();
  await party.run();
  assert.equal(one.mesh.peers.size, 0);
});

test("a join whose answer was lost is made again", async (t) => {
  const party = new Party(t);
  const one = await party.join(AV);
  const two = await party.member(AV);
  const session = [...party.server.sessions.values()].find((each) => each.peer === two.signal.peer);
  const joined = two.mesh.join();
  // The server takes the join, and the link breaks under its answer.
  party.server.onTaken = (_session, { type }) => {
    if (type !== "join") return;
    party.server.onTaken = () => {};
    session.lossy = true;
    queueMicrotask(() => party.server.cut(session.socket));
  };
  await party.pass(10_000);
  assert.equal((await joined).room, "room");
  assert.deepEqual(party.faults(), []);
  assert.equal(one.mesh.peers.size, 1);
});
