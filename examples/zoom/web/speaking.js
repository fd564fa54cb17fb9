const EVERY_MS = 250;
const LOUD = 0.02;
/** Pauses between words shouldn't make the frame flicker. */
const HOLD_MS = 700;

/** Watches who is heard: calls `show(peer, speaking)` for each peer, several times a second. */
export function watchSpeaking(peers, show) {
  const heardAt = new WeakMap();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const peer of peers()) {
      if (level(peer) > LOUD) heardAt.set(peer, now);
      show(peer, now - (heardAt.get(peer) ?? -Infinity) < HOLD_MS);
    }
  }, EVERY_MS);
  return () => clearInterval(timer);
}

function level(peer) {
  const track = peer.tracks.get("microphone");
  const receiver = track && peer.connection?.getReceivers().find((candidate) => candidate.track === track);
  return receiver?.getSynchronizationSources?.()[0]?.audioLevel ?? 0;
}
