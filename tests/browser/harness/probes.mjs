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

/**
 * Begins to write down what a call that goes on undisturbed doesn't have: tiles that come or go, notices about it,
 * new connections, other states or ICE credentials of those there are, pictures that stand still.
 */
export function record() {
  const grid = document.querySelector("[data-peer]").parentElement;
  const videos = [...grid.querySelectorAll("[data-peer]:not([data-peer=self]) video")];
  const connections = globalThis.made.connections.filter(({ connectionState }) => connectionState !== "closed");
  const changes = { tiles: [], notices: [], connections: [], states: [], elements: [] };
  const begin = performance.now();
  const at = () => `${Math.round(performance.now() - begin)} ms`;
  const note = (list, what) => list.push(`${at()}: ${what}`);

  const watch = (target, list) => new MutationObserver((mutations) => {
    for (const { addedNodes, removedNodes } of mutations) {
      for (const node of addedNodes) note(list, `came: ${node.textContent}`);
      // A notice goes by itself.
      if (target === grid) for (const node of removedNodes) note(list, `went: ${node.textContent}`);
    }
  }).observe(target, { childList: true });
  watch(grid, changes.tiles);
  watch(document.querySelector("#notices"), changes.notices);
  for (const connection of connections) {
    connection.addEventListener("connectionstatechange", () => {
      // Firefox is "connecting" for a moment whenever it offers, while its pictures move.
      if (!/^connect/.test(connection.connectionState)) note(changes.states, connection.connectionState);
    });
  }

  const made = globalThis.made.connections.length;
  const ufrag = ({ localDescription }) => /a=ice-ufrag:(\S+)/.exec(localDescription.sdp)[1];
  const credentials = connections.map(ufrag);
  const streams = videos.map(({ srcObject }) => srcObject);
  const tracks = streams.map((stream) => stream.getVideoTracks()[0]);
  // Frames are counted by time in which none came, not by the time between two looks: those may come late themselves.
  const still = tracks.map(() => ({ count: undefined, frames: 0, ms: 0, longestMs: 0 }));
  let looked = performance.now();
  const look = async () => {
    const counts = await Promise.all(tracks.map(async (track) => {
      const connection = connections.find((each) => each.getReceivers().some((receiver) => receiver.track === track));
      const reports = await connection.getStats(track);
      return [...reports.values()].find(({ type }) => type === "inbound-rtp")?.framesDecoded ?? 0;
    }));
    if (done) return;
    const passedMs = performance.now() - looked;
    looked += passedMs;
    for (const [index, one] of still.entries()) {
      // Firefox counts from zero again after some of its offers.
      const more = counts[index] >= one.count ? counts[index] - one.count : counts[index];
      if (one.count !== undefined) one.frames += more;
      one.ms = more > 0 ? 0 : one.ms + passedMs;
      one.longestMs = Math.max(one.longestMs, one.ms);
      one.count = counts[index];
    }
    setTimeout(() => done || look(), 100);
  };
  let done = false;

  globalThis.recording = {
    finish() {
      done = true;
      if (globalThis.made.connections.length !== made) note(changes.connections, "another was made");
      for (const [index, connection] of connections.entries()) {
        if (ufrag(connection) !== credentials[index]) note(changes.connections, "ICE began anew");
      }
      for (const [index, video] of videos.entries()) {
        const same = video.isConnected && video.srcObject === streams[index] && streams[index].getVideoTracks()[0] === tracks[index];
        if (!same || video.paused) note(changes.elements, "a video isn't what it was");
      }
      const longestStillMs = Math.round(Math.max(...still.map(({ longestMs }) => longestMs)));
      return { ...changes, longestStillMs, frames: still.map(({ frames }) => frames) };
    },
  };
  void look();
}

/** Ends the recording, and gives it. */
export function recorded() {
  return globalThis.recording.finish();
}
