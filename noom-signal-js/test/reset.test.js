import assert from "node:assert/strict";
import { test } from "node:test";
import { Party } from "./support/party.js";
import { FakeTrack } from "./support/rtc.js";

const AV = { camera: "video", mic: "audio" };
const changes = (member, from) => member.events.slice(from).filter(({ type }) => ["peer", "peerleft", "trackended", "left", "joined"].includes(type));

/** The server forgets everyone, and their links break one after the other: at no time does anyone lack a picture. */
async function restart(party, betweenMs = 2000) {
  party.server.forget();
  for (const socket of party.server.sockets.filter(({ readyState }) => readyState === 1)) {
    party.server.cut(socket);
    await party.pass(betweenMs);
    for (const { mesh } of party.members) {
      for (const { connectionState, tracks } of mesh.peers.values()) assert.deepEqual([connectionState, tracks.size], ["connected", 2]);
    }
  }
  await party.pass(1000);
}

const snapshot = ({ mesh }) => [...mesh.peers.values()].map((peer) => ({ peer, connection: peer.connection, tracks: [...peer.tracks.values()] }));
const sorted = (list) => list.sort((one, other) => one.connection.id - other.connection.id);

for (const betweenMs of [0, 2000]) {
  test(`a server that restarted: all get new ids, and nothing else is new, ${betweenMs} ms between them`, async (t) => {
    const party = new Party(t);
    for (let count = 0; count < 4; count += 1) await party.join(AV);
    const before = party.members.map(snapshot);
    // Twice: who was renamed once can be again.
    for (let round = 0; round < 2; round += 1) {
      const formers = party.members.map(({ mesh }) => [...mesh.peers.keys()]);
      const marks = party.members.map(({ events }) => events.length);
      await restart(party, betweenMs);
      assert.deepEqual(party.faults(), []);
      for (const [index, member] of party.members.entries()) {
        assert.deepEqual(sorted(snapshot(member)), sorted(before[index]), "the same peers, connections and tracks");
        const events = member.events.slice(marks[index]);
        assert.deepEqual([...new Set(events.map(({ type }) => type))].sort(), ["joined", "peerrenamed"]);
        assert.deepEqual(events.flatMap(({ former }) => former ?? []).sort(), formers[index].sort());
        assert.deepEqual(member.errors, []);
      }
    }
    await party.pass(70_000);
    assert.deepEqual(party.faults(), [], "nobody is dropped in the end");
  });
}

test("what changed while the server was away is told to those known again", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  party.server.up = false;
  party.server.forget();
  for (const socket of [...party.server.sockets]) party.server.cut(socket);
  await party.run();
  const { connection } = [...two.mesh.peers.values()][0];
  await party.setTrack(one, "screen", new FakeTrack("video"));
  await party.setTrack(two, "camera", null);
  void two.mesh.updateMeta({ name: "Two" }).catch(() => {});
  await party.pass(1000);
  assert.equal(connection.signalingState, "have-local-offer", "nobody has got this offer");
  party.server.up = true;
  await party.pass(20_000);
  assert.deepEqual(party.faults(), []);
  assert.equal([...two.mesh.peers.values()][0].connection, connection);
  assert.deepEqual([...one.mesh.peers.values()][0].meta, { name: "Two" });
  assert.equal(changes(one, 0).filter(({ type }) => type === "peerleft").length, 0);
});

test("a liar about its new id takes nobody's place, and costs nobody a connection", async (t) => {
  const party = new Party(t);
  const [liar, ...honest] = [await party.join(AV), await party.join(AV), await party.join(AV), await party.join(AV)];
  const others = (member) => snapshot(member).filter(({ peer }) => peer.id !== liar.signal.peer);
  const before = honest.map(others);
  const liars = honest.map(({ mesh }) => mesh.peers.get(liar.signal.peer));
  const lines = honest.map(({ signal }) => [...liar.mesh.peers.get(signal.peer).connection.channels.values()][0]);
  for (const peer of liar.mesh.peers.values()) peer.announce = () => {};
  party.server.forget();
  const sockets = [...party.server.sockets];
  party.server.cut(sockets[0]);
  await party.pass(1500);
  for (const [index] of honest.entries()) {
    // Who waits for the next to come hears "that's me"; and the next, that the liar is one who came before.
    const next = `peer-00${6 + index}`;
    const earlier = honest[(index + 2) % 3].signal.peer;
    for (const [at, line] of lines.entries()) line.send(JSON.stringify({ peer: at === index ? earlier : next }));
    await party.run();
    party.server.cut(sockets[1 + index]);
    await party.pass(1500);
    assert.equal(honest[index].signal.peer, next, "the lie was about this one");
    for (const [at, { mesh }] of honest.entries()) {
      const under = [...mesh.peers].find(([, peer]) => peer === liars[at])?.[0];
      assert.ok(!honest.some(({ signal }) => signal.peer === under), "the liar's picture is under nobody else's id");
    }
  }
  await party.pass(70_000);
  assert.deepEqual(party.faults(), []);
  for (const [index, member] of honest.entries()) assert.deepEqual(sorted(others(member)), sorted(before[index]));
});

test("who doesn't say who it is gets a new connection, and its former self stays until that works", async (t) => {
  const party = new Party(t);
  const members = [await party.join(AV), await party.join(AV)];
  const [one] = members;
  const former = [...one.mesh.peers.values()][0];
  const word = new Map(members.map((member) => [member, undefined]));
  for (const member of members) {
    const channel = [...member.mesh.peers.values()][0].connection.channels.get(0);
    // The word takes longer than anyone waits for it.
    channel.send = (data) => word.set(member, () => Object.getPrototypeOf(channel).send.call(channel, data));
  }
  party.server.forget();
  for (const socket of [...party.server.sockets]) party.server.cut(socket);
  await party.pass(2500);
  assert.deepEqual([...one.mesh.peers.values()], [former], "nobody is shown twice");
  await party.pass(6000);
  for (const say of word.values()) say();
  await party.pass(1000);
  assert.deepEqual(party.faults(), []);
  const left = changes(one, 0).filter(({ type }) => type === "peerleft");
  assert.deepEqual(left.map(({ peer, reason, successor }) => [peer, reason, successor.id]), [[former, "replaced", members[1].signal.peer]]);
});

test("a stranger who comes after a restart is one more, at once where all are known again", async (t) => {
  const party = new Party(t);
  const [one] = [await party.join(AV), await party.join(AV)];
  await restart(party);
  const mark = one.events.length;
  await party.join(AV);
  assert.deepEqual(party.faults(), []);
  assert.deepEqual(changes(one, mark).map(({ type }) => type), ["peer"]);
});

test("a stranger who comes while one is missing still gets its offer", async (t) => {
  const party = new Party(t);
  const [one, missing] = [await party.join(AV), await party.join(AV)];
  party.server.forget();
  party.server.cut(party.server.sockets[0]);
  await party.pass(1000);
  party.members.splice(1, 1);
  const stranger = await party.join(AV);
  await party.pass(3500);
  assert.equal(one.mesh.peers.get(stranger.signal.peer).connectionState, "connected");
  assert.equal(one.mesh.peers.size, 2, "and who is missing may still come");
  party.members.push(missing);
  party.server.cut(party.server.sockets[1]);
  await party.pass(6000);
  assert.deepEqual(party.faults(), []);
  assert.equal(changes(one, 0).filter(({ type }) => type === "peerleft").length, 0);
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
  await party.pass(60_000);
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
