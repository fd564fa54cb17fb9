// Never run: it has to compile against the package's declarations, as a user's program would.
import { Mesh, MeshPeer, SignalClient, SignalError, type PeerInfo, type ServerMessage } from "noom-signal";

const signal = new SignalClient(new URL("wss://host/signal"), { token: async () => "t", client: "demo" });
const off: () => void = signal.on("welcome", ({ peer, meta, since }) => console.log(peer.length, meta["name"], since + 1));
signal.on("state", ({ state, previous, reason, retryInMs }) => console.log(state === "open", previous, reason?.code, retryInMs));
signal.on("error", ({ code, message }) => console.log(code === "room_full", message));
signal.on("reset", ({ peer }) => console.log(peer));
// @ts-expect-error there is no such event
signal.on("welcomed", () => {});
// @ts-expect-error internal
signal.emit("welcome", {});

const mesh = new Mesh(signal, "standup", { rtc: { iceTransportPolicy: "relay" }, offerTimeoutMs: 1000 });
mesh.on("track", ({ peer, slot, track, streams }) => console.log(peer.tracks.get(slot) === track, streams.length));
mesh.on("data", ({ peer, label, data }) => console.log(peer.channel(label)?.readyState, data));
mesh.on("peerrenamed", ({ peer, former }) => console.log(peer.id !== former));
mesh.on("peerleft", ({ peer, reason, successor }) => console.log(peer.id, reason, successor?.connectionState));
mesh.on("state", ({ peer, state }) => console.log(peer.connection.signalingState, state === "failed"));

export async function call(camera: MediaStreamTrack, stream: MediaStream): Promise<PeerInfo[]> {
  try {
    const { iceServers } = await signal.connect();
    console.log(iceServers.length, signal.limits.burst, signal.closed?.reason, signal.user);
    await mesh.setTrack("camera", camera, stream);
    await mesh.setTrack("screen", null);
    mesh.openChannel("chat", { ordered: false });
    const sent: number = mesh.sendData("chat", new Uint8Array(3));
    console.log(sent);
    await signal.send("standup", "*", { any: ["json", null] });
    const joined: Extract<ServerMessage, { type: "joined" }> = await mesh.join({ meta: { name: "Mina" } });
    const peers: Map<string, MeshPeer> = mesh.peers;
    console.log(peers.size);
    return joined.peers;
  } catch (error) {
    if (error instanceof SignalError && error.code === "rate_limited") console.log(error.retryAfterMs, error.room, error.to);
    throw error;
  } finally {
    off();
  }
}
