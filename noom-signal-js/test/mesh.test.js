import assert from "node:assert/strict";
import { test } from "node:test";
import { Party } from "./support/party.js";
import { FakePeerConnection, FakeTrack } from "./support/rtc.js";

const AV = { camera: "video", mic: "audio" };
const types = (member, ...wanted) => member.events.filter(({ type }) => wanted.includes(type));
const only = ({ mesh }) => [...mesh.peers.values()][0];

test("two members connect in one round of offer and answer, sharing sections", async (t) => {
  const party = new Party(t);
  const offers = [];
  party.server.onTaken = (session, { type }) => type === "offer" && offers.push(session.peer);
  const first = await party.join(AV);
  const second = await party.join(AV);
  assert.deepEqual(party.faults(), []);
  assert.deepEqual(offers, [first.signal.peer], "who was there offers, once");
  assert.equal(only(first).connection.getTransceivers().length, 2);
  assert.deepEqual(types(second, "track").map(({ slot }) => slot).sort(), ["camera", "mic"]);
  assert.deepEqual([...first.errors, ...second.errors], []);
});

test("a newcomer offers itself to a member that doesn't", async (t) => {
  const party = new Party(t);
  const mute = await party.member();
  void mute.signal.join("room");
  await party.run();
  const offers = [];
  party.server.onTaken = (_session, { type, to }) => type === "offer" && offers.push(to);
  await party.join(AV);
  await party.pass(4750);
  assert.deepEqual(offers, []);
  await party.pass(500);
  assert.deepEqual(offers, [mute.signal.peer]);
});

test("two who have nothing to send connect all the same, and have their channel", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.member(), await party.member()];
  for (const { mesh } of [one, two]) mesh.openChannel("chat");
  for (const { mesh } of [one, two]) {
    void mesh.join();
    await party.run();
  }
  assert.deepEqual(party.faults(), []);
  assert.equal(one.mesh.sendData("chat", "hello"), 1);
  await party.run();
  assert.deepEqual(types(two, "data").map(({ label, data }) => [label, data]), [["chat", "hello"]]);
});

test("offers that cross: the polite side takes its own back, and both tracks arrive", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  await Promise.all([party.setTrack(one, "screen", new FakeTrack("video")), party.setTrack(two, "slides", new FakeTrack("video"))]);
  await party.run();
  assert.deepEqual(party.faults(), []);
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("another track in a slot needs no negotiation, an emptied slot is told", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  let offers = 0;
  party.server.onTaken = (_session, { type }) => (offers += type === "offer" ? 1 : 0);
  await party.setTrack(one, "camera", new FakeTrack("video"));
  await party.run();
  assert.equal(offers, 0);
  assert.deepEqual(party.faults(), []);
  await party.setTrack(one, "camera", null);
  await party.run();
  assert.equal(offers, 1);
  assert.deepEqual(types(two, "trackended").map(({ slot }) => slot), ["camera"]);
  await party.setTrack(one, "camera", new FakeTrack("video"));
  await party.run();
  assert.deepEqual(party.faults(), []);
  assert.equal(only(one).connection.getTransceivers().length, 2, "the section is used again");
  await assert.rejects(one.mesh.setTrack("camera", new FakeTrack("audio")), TypeError);
  await assert.rejects(one.mesh.setTrack("no spaces", null), TypeError);
});

test("losing the server closes no connection, and nobody notices", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const { connection } = only(one);
  const events = two.events.length;
  party.server.up = false;
  party.server.cut(party.socketOf(one));
  await party.pass(20_000);
  assert.equal(one.signal.state, "reconnecting");
  await party.setTrack(one, "screen", new FakeTrack("video"));
  party.server.up = true;
  await party.pass(20_000);
  assert.equal(only(one).connection, connection);
  assert.deepEqual(party.faults(), []);
  assert.deepEqual(two.events.slice(events).map(({ type, slot }) => [type, slot]), [["track", "screen"]]);
});

test("a failed connection finds new paths by an ICE restart, with renewed servers", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const { connection } = only(one);
  only(one).connection.fail();
  only(two).connection.fail();
  await party.run();
  assert.equal(only(one).connection, connection);
  assert.equal(connection.getConfiguration().iceServers[0].urls, "turn:turn.example");
  assert.deepEqual(party.faults(), []);
});

test("a peer that resumed in part: our open offer is taken back and made again", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  party.server.up = false;
  const session = [...party.server.sessions.values()].find(({ peer }) => peer === two.signal.peer);
  party.server.cut(session.socket);
  await party.setTrack(one, "screen", new FakeTrack("video"));
  await party.run();
  assert.equal(only(one).connection.signalingState, "have-local-offer");
  session.lossy = true;
  session.ring = [];
  party.server.up = true;
  await party.pass(20_000);
  assert.deepEqual(party.faults(), []);
});

test("an answer to an offer that was taken back is stale", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const session = [...party.server.sessions.values()].find(({ peer }) => peer === one.signal.peer);
  // The answer is held up on its way, past a second offer.
  const sendTo = party.server.send;
  const late = [];
  party.server.send = function (to, message) {
    if (to === session && message.type === "answer" && late.length === 0) late.push(message);
    else sendTo.call(this, to, message);
  };
  await party.setTrack(one, "screen", new FakeTrack("video"));
  await party.run();
  assert.equal(late.length, 1);
  sendTo.call(party.server, session, { type: "missed", room: "room", peer: two.signal.peer });
  // It arrives once the second offer is out, before that one's own answer.
  await party.run(3);
  sendTo.call(party.server, session, late[0]);
  await party.run();
  assert.deepEqual(party.faults(), []);
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("candidates wait for their description, and those of an older generation are dropped", async (t) => {
  const party = new Party(t);
  const one = await party.join(AV);
  const far = await party.member();
  void far.signal.join("room");
  await party.run();
  const peer = only(one);
  const stray = (ufrag) => ({ candidate: "candidate:9", sdpMid: "0", usernameFragment: ufrag });
  for (let count = 0; count < 300; count += 1) void far.signal.ice("room", one.signal.peer, stray("later")).catch(() => {});
  await party.pass(5000);
  assert.equal(peer.connection.added.length, 0);
  const answer = (sdp, ufrag) => sdp.replace(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${ufrag}`).replace(/^o=- \d+/m, "o=- 77").replaceAll("a=sendrecv", "a=recvonly");
  const offer = peer.connection.localDescription.sdp;
  void far.signal.answer("room", one.signal.peer, answer(offer, "later"));
  await party.pass(5000);
  assert.equal(peer.connection.added.length, 100, "held, within a bound");
  peer.restart([]);
  await party.run();
  void far.signal.answer("room", one.signal.peer, answer(peer.connection.localDescription.sdp, "newer"));
  void far.signal.ice("room", one.signal.peer, stray("later"));
  void far.signal.ice("room", one.signal.peer, stray("newer"));
  void far.signal.ice("room", one.signal.peer, { ...stray("newer"), candidate: "" });
  void far.signal.ice("room", one.signal.peer, null);
  await party.run();
  assert.deepEqual(peer.connection.added.slice(100).map((each) => each && `${each.usernameFragment} ${each.candidate}`), ["newer candidate:9", "newer ", null]);
  assert.deepEqual(one.errors, []);
});

test("descriptions that make no sense are an error event, and the room goes on", async (t) => {
  const party = new Party(t);
  const one = await party.join(AV);
  const hostile = await party.member();
  void hostile.signal.join("room");
  await party.run();
  for (const sdp of ["", "v=0\r\nm=", "\u0000", "v=0\r\no=- 5 5\r\nm=video 9 X 0\r\na=mid:0\r\na=label:<script>\r\n"]) {
    void hostile.signal.offer("room", one.signal.peer, sdp).catch(() => {});
    void hostile.signal.answer("room", one.signal.peer, sdp).catch(() => {});
  }
  void hostile.signal.ice("room", one.signal.peer, { candidate: 7, usernameFragment: {} }).catch(() => {});
  await party.pass(1000);
  assert.ok(one.errors.length > 0);
  void hostile.signal.leave("room");
  await party.run();
  party.members.pop();
  await party.join(AV);
  assert.deepEqual(party.faults(), []);
});

test("a peer that left and joined again gets a new connection", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const { connection } = only(one);
  void two.mesh.leave();
  void two.mesh.join();
  await party.run();
  assert.notEqual(only(one).connection, connection);
  assert.deepEqual(party.faults(), []);
});

test("a far end that makes its connection anew replaces ours; the peer stays", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const peer = only(one);
  only(two).reconnect();
  await party.run();
  assert.equal(only(one), peer);
  assert.deepEqual(party.faults(), []);
  assert.equal(types(one, "trackended", "peerleft").length, 0);
});

test("a second failure in a row replaces the connection", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  const [peer, { connection }] = [only(one), only(one)];
  t.after(() => (FakePeerConnection.reachable = true));
  FakePeerConnection.reachable = false;
  const failBoth = async () => {
    for (const each of [one, two]) {
      only(each).connection.fail();
    }
    await party.pass(1000);
  };
  await failBoth();
  assert.equal(peer.connection, connection);
  FakePeerConnection.reachable = true;
  await failBoth();
  assert.notEqual(peer.connection, connection);
  assert.equal(only(one), peer);
  assert.deepEqual(party.faults(), []);
  assert.equal(types(one, "trackended", "peerleft").length, 0);
});

test("kicked: all connections are closed", async (t) => {
  const party = new Party(t);
  const [one, two] = [await party.join(AV), await party.join(AV)];
  party.server.bye("room", two.signal.peer, "kicked");
  await party.run();
  assert.equal(two.mesh.peers.size, 0);
  assert.equal(one.mesh.peers.size, 0);
  assert.deepEqual(types(two, "left").map(({ reason }) => reason), ["kicked"]);
});
