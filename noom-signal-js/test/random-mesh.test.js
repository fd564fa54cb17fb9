import assert from "node:assert/strict";
import { test } from "node:test";
import { Party, random } from "./support/party.js";
import { FakeTrack } from "./support/rtc.js";

const SLOTS = { camera: "video", mic: "audio", screen: "video", slides: "video" };

/** Whatever happens, in whatever order: once it is quiet, every pair is connected and shows what is sent. */
for (let seed = 1; seed <= 40; seed += 1) {
  test(`three members, random changes and faults, seed ${seed}`, async (t) => {
    const next = random(seed);
    const party = new Party(t);
    for (let count = 0; count < 3; count += 1) await party.join({ camera: "video", mic: "audio" });
    for (let step = 0; step < 25; step += 1) {
      const member = next.of(party.members);
      const slot = next.of(Object.keys(SLOTS));
      const action = next.below(13);
      if (action < 6) void party.setTrack(member, slot, next() < 0.7 ? new FakeTrack(SLOTS[slot]) : null);
      else if (action === 6) void member.mesh.updateMeta({ step }).catch(() => {});
      else if (action === 7) [...member.mesh.peers.values()].forEach((peer) => peer.connectionState === "connected" && peer.connection.fail());
      else if (action === 8) cut(party, member, false);
      else if (action === 9) cut(party, member, true);
      else if (action === 10 && next() < 0.3) restart(party);
      else if (action === 12) [...member.mesh.peers.values()].forEach((peer) => peer.departed || peer.reconnect());
      else if (action === 11) {
        void member.mesh.leave().catch(() => {});
        // Rejects where a later leave overtakes it.
        void member.mesh.join().catch(() => {});
      }
      // Often the next thing happens while this one is half done.
      await party.run(next() < 0.7 ? next.below(12) : Infinity);
      if (next() < 0.2) await party.pass(next.below(3000));
    }
    await party.pass(90_000, 500);
    assert.deepEqual(party.faults(), []);
    assert.deepEqual(party.members.flatMap(({ errors }) => errors.map(String)), []);
  });
}

function cut(party, member, lossy) {
  const session = [...party.server.sessions.values()].find(({ peer }) => peer === member.signal.peer);
  if (!session?.socket) return;
  session.lossy = lossy;
  party.server.cut(session.socket);
}

function restart(party) {
  party.server.forget();
  for (const socket of party.server.sockets) party.server.cut(socket);
}
