const EVERY_MS = 250;
const LOUD = 0.02;
/** Pauses between words shouldn't make the frame flicker. */
const HOLD_MS = 700;

/** Watches who is heard: calls `show(peerId, speaking)` for each peer, several times a second. */
export function watchSpeaking(peers, show) {
  const heardAt = new Map();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [id, peer] of peers()) {
      if (level(peer) > LOUD) heardAt.set(id, now);
      show(id, now - (heardAt.get(id) ?? -Infinity) < HOLD_MS);
    }
    for (const id of heardAt.keys()) if (!peers().has(id)) heardAt.delete(id);
  }, EVERY_MS);
  return () => clearInterval(timer);
}

function level(peer) {
  const track = peer.tracks.get("microphone");
  const receiver = track && peer.connection?.getReceivers().find((candidate) => candidate.track === track);
  return receiver?.getSynchronizationSources?.()[0]?.audioLevel ?? 0;
}
