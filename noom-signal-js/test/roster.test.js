import assert from "node:assert/strict";
import { test } from "node:test";
import { Party } from "./support/party.js";
import { FakeTrack } from "./support/rtc.js";

const AV = { camera: "video", mic: "audio" };
const sessionOf = (party, { signal }) => [...party.server.sessions.values()].find(({ peer }) => peer === signal.peer);

/** Cuts a member off, has things happen meanwhile, and resumes it in part: it gets a roster in the place of what it missed. */
async function missing(party, member, happen) {
  const session = sessionOf(party, member);
  party.server.cut(session.socket);
  await happen();
  await party.run();
  session.lossy = true;
  await party.pass(20_000);
}

test("the difference of a roster becomes byes and welcomes, by peer and since", async (t) => {
  const party = new Party(t);
  const [one, stays, returns, leaves] = [await party.join(AV), await party.join(AV), await party.join(AV), await party.join(AV)];
  const before = new Map(one.mesh.peers);
  const connections = new Map([...before].map(([id, { connection }]) => [id, connection]));
  const mark = one.events.length;
  let comes;
  await missing(party, one, async () => {
    void returns.mesh.leave();
    void returns.mesh.join({ meta: { name: "Returned" } });
    void leaves.mesh.leave();
    void stays.mesh.updateMeta({ name: "Stayed" });
    party.members.splice(party.members.indexOf(leaves), 1);
    comes = await party.join(AV);
  });
  assert.deepEqual(party.faults(), []);
  const told = one.events.slice(mark).filter(({ type }) => /^peer/.test(type)).map(({ type, peer, reason }) => `${type} ${peer.id} ${reason}`);
  const id = ({ signal }) => signal.peer;
  assert.deepEqual(told.sort(), [
    `peer ${id(comes)} undefined`,
    `peer ${id(returns)} undefined`,
    `peerleft ${id(leaves)} lost`,
    `peerleft ${id(returns)} lost`,
    `peerupdated ${id(stays)} undefined`,
  ].sort());
  assert.equal(one.mesh.peers.get(id(stays)), before.get(id(stays)));
  assert.equal(one.mesh.peers.get(id(stays)).connection, connections.get(id(stays)), "who stayed keeps the connection");
  assert.notEqual(one.mesh.peers.get(id(returns)), before.get(id(returns)), "a stay that is another is another peer");
  assert.deepEqual(one.errors, []);
});

test("a joined that is lost, and a resume in part: we join again, since nothing else tells since when we are in", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.member(AV)];
  const session = sessionOf(party, two);
  const taken = [];
  party.server.onTaken = (from, { type }) => {
    if (from !== session) return;
    taken.push(type);
    if (taken.length > 1) return;
    session.lossy = true;
    queueMicrotask(() => party.server.cut(session.socket));
  };
  const joined = two.mesh.join({ meta: {} });
  await party.pass(10_000);
  assert.deepEqual(taken.filter((type) => !["offer", "answer", "ice"].includes(type)), ["join", "join", "leave", "join"]);
  const { version, peers } = await joined;
  assert.equal(party.server.rooms.get("room").members.get(two.signal.peer).since, version, "the stay that the others know");
  assert.deepEqual(peers.map(({ peer }) => peer), [one.signal.peer]);
  assert.deepEqual(party.faults(), []);
  // Who is polite depends on it, and both must have the same idea: offers that cross come to an agreement.
  await Promise.all([one, two].map((member) => party.setTrack(member, "screen", new FakeTrack("video"))));
  await party.run();
  assert.deepEqual(party.faults(), []);
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("a resume in part that finds us in the room goes on; one that doesn't ends the stay", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  await missing(party, two, () => {});
  assert.deepEqual(party.faults(), []);
  assert.deepEqual(one.events.filter(({ type }) => type === "peerleft"), [], "the others noticed nothing");
  await missing(party, two, () => party.server.bye("room", two.signal.peer, "kicked"));
  assert.equal(two.mesh.peers.size, 0);
  assert.deepEqual(two.events.filter(({ type }) => type === "left").map(({ reason }) => reason), ["lost"], "it may have been a kick: who knows");
  assert.equal(one.mesh.peers.size, 0);
});
