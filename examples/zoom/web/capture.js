import { mediaFailure } from "./mediaerror.js";

// A mesh sends the picture to everyone separately, so it is kept small; the browser lowers it further when it must.
const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** True when the browser offers devices at all: it doesn't on a page that came over plain http. */
export function canCapture() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/**
 * Asks for one track of a kind, "camera" or "microphone". `exact` insists on the device; without it the device is a
 * wish, so one that was unplugged since last time does no harm.
 */
export async function captureOne(kind, deviceId, exact = false) {
  const { tracks } = await capture([kind], { [kind]: deviceId }, exact);
  return tracks[kind];
}

/**
 * Asks for tracks of several kinds with one permission prompt.
 *
 * Resolves to what there is: `tracks` by kind, and `errors` by kind for the rest. One missing camera must not cost
 * the microphone, so after a refusal of both the kinds are tried alone, except where that would only ask the
 * person the same question again.
 */
export async function captureAll(kinds, deviceIds) {
  try {
    const { tracks } = await capture(kinds, deviceIds);
    return { tracks, errors: {} };
  } catch (error) {
    const result = { tracks: {}, errors: Object.fromEntries(kinds.map((kind) => [kind, error])) };
    if (kinds.length < 2 || error.name === "InsecureError") return result;
    const again = error.name === "NotAllowedError" ? await notBlocked(kinds) : kinds;
    for (const kind of again) {
      try {
        result.tracks[kind] = await captureOne(kind, deviceIds[kind]);
        delete result.errors[kind];
      } catch (alone) {
        result.errors[kind] = alone;
      }
    }
    return result;
  }
}

/** The cameras and microphones there are, as `{id, label}`; labels are empty before the first permission. */
export async function listDevices() {
  const found = { camera: [], microphone: [] };
  if (!navigator.mediaDevices?.enumerateDevices) return found;
  for (const device of await navigator.mediaDevices.enumerateDevices()) {
    const kind = { videoinput: "camera", audioinput: "microphone" }[device.kind];
    if (kind && device.deviceId) found[kind].push({ id: device.deviceId, label: device.label });
  }
  return found;
}

async function capture(kinds, deviceIds, exact) {
  if (!canCapture()) throw mediaFailure("InsecureError");
  const wish = (kind) => (deviceIds[kind] ? { deviceId: { [exact ? "exact" : "ideal"]: deviceIds[kind] } } : {});
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: kinds.includes("microphone") && { ...SOUND, ...wish("microphone") },
    video: kinds.includes("camera") && { ...PICTURE, ...wish("camera") },
  });
  return { tracks: { camera: stream.getVideoTracks()[0], microphone: stream.getAudioTracks()[0] } };
}

/** Of several kinds refused together, those worth asking for alone: some other of them is the blocked one. */
async function notBlocked(kinds) {
  const states = await Promise.all(kinds.map(permissionState));
  if (!states.includes("denied")) return [];
  return kinds.filter((_, index) => states[index] !== "denied");
}

async function permissionState(kind) {
  try {
    return (await navigator.permissions.query({ name: kind })).state;
  } catch {
    return "prompt"; // the browser doesn't tell
  }
}
