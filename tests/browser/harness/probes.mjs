// Functions that run inside a page, by `page.evaluate`. They see nothing of this file but their arguments.

/**
 * Runs before the page's own code: keeps hold of what the page makes, so that tests can ask the browser about it,
 * and makes every camera small. Nothing here changes what the page can do.
 */
export function instrument({ width, height, frameRate, wide }) {
  const made = { connections: [], tracks: [], sockets: [] };
  Object.defineProperty(globalThis, "made", { value: made });

  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      made.connections.push(this);
    }
  };
  if (!navigator.mediaDevices) return;
  const devices = navigator.mediaDevices;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const video = constraints.video && { ...constraints.video };
    if (video) Object.assign(video, { width, height, frameRate });
    if (wide && video?.deviceId?.exact) {
      // One camera of another shape, so that a receiver can tell whose picture it sees.
      const device = (await devices.enumerateDevices()).find(({ deviceId }) => deviceId === video.deviceId.exact);
      if (device?.label === wide) Object.assign(video, { width: { exact: 320 }, height: { exact: 180 } });
    }
    const stream = await getUserMedia({ ...constraints, video });
    made.tracks.push(...stream.getTracks());
    return stream;
  };
}

/** The names in the grid, as they are read. */
export function namesInGrid() {
  return [...document.querySelectorAll("[data-peer] bdi")].map((name) => name.textContent);
}

/** What the tile of a person shows and plays: statistics of its tracks beside the state of its elements. */
export async function tileFacts(name) {
  const tile = [...document.querySelectorAll("[data-peer]")].find((each) => each.querySelector("bdi").textContent === name);
  if (!tile) return null;
  const video = tile.querySelector("video");
  if (video.framesSeen === undefined) {
    // Counts the frames that are painted from the first look on; Firefox has no other count of them for a call.
    video.framesSeen = 0;
    const count = () => {
      video.framesSeen += 1;
      video.requestVideoFrameCallback(count);
    };
    video.requestVideoFrameCallback(count);
  }
  const facts = {
    state: tile.dataset.state,
    label: tile.getAttribute("aria-label"),
    width: video.videoWidth,
    height: video.videoHeight,
    painted: video.framesSeen,
    paused: video.paused,
    muted: video.muted,
    transform: getComputedStyle(video).transform,
    shown: getComputedStyle(video).visibility === "visible",
    framesDecoded: 0,
    audioEnergy: 0,
    audioSeconds: 0,
  };
  for (const track of video.srcObject?.getTracks() ?? []) {
    for (const connection of globalThis.made.connections) {
      if (!connection.getReceivers().some((receiver) => receiver.track === track)) continue;
      for (const report of (await connection.getStats(track)).values()) {
        if (report.type !== "inbound-rtp") continue;
        if (report.kind === "video") facts.framesDecoded = report.framesDecoded ?? 0;
        else Object.assign(facts, { audioEnergy: report.totalAudioEnergy ?? 0, audioSeconds: report.totalSamplesDuration ?? 0 });
      }
    }
  }
  return facts;
}

/** The tracks of the own devices, ever asked for: kind, label, state. */
export function ownTracks() {
  return globalThis.made.tracks.map(({ kind, label, readyState, enabled }) => ({ kind, label, readyState, enabled }));
}

/** What leaves the page towards each open connection, by kind. */
export function sentTracks() {
  return globalThis.made.connections
    .filter(({ connectionState }) => connectionState !== "closed")
    .map((connection) => connection.getSenders().map(({ track }) => track && { kind: track.kind, label: track.label, enabled: track.enabled, readyState: track.readyState })
      .filter(Boolean));
}

/** States of every connection ever made. */
export function connectionStates() {
  return globalThis.made.connections.map(({ connectionState }) => connectionState);
}
