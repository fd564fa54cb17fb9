/** Every word the page says, by key. A `{name}` in a text is filled in from the values given to `t`. */
const ENGLISH = {
  "app.name": "noom",

  "prejoin.heading": "Start or join a call",
  "prejoin.headingRoom": "Ready to join?",
  "prejoin.name": "Your name",
  "prejoin.room": "Room",
  "prejoin.roomHint": "Everyone who opens this room is in the call.",
  "prejoin.join": "Join",
  "prejoin.joining": "Joining…",
  "prejoin.nameMissing": "Please tell the others your name.",
  "prejoin.roomMissing": "Please name a room.",
  "prejoin.roomTooLong": "This room name is too long.",
  "prejoin.preview": "Preview",
  "prejoin.previewVideo": "Your camera",
  "prejoin.previewOff": "Your camera is off",
  "prejoin.previewNone": "No camera: you can join without one",
  "prejoin.waiting": "Waiting for permission. Your browser is asking.",
  "prejoin.retry": "Try again",

  "device.camera": "Camera",
  "device.microphone": "Microphone",
  "device.cameraNumber": "Camera {number}",
  "device.microphoneNumber": "Microphone {number}",
  "device.noCamera": "No camera found",
  "device.noMicrophone": "No microphone found",

  "control.mute": "Mute",
  "control.unmute": "Unmute",
  "control.stopVideo": "Stop video",
  "control.startVideo": "Start video",
  "control.devices": "Devices",
  "control.copyLink": "Copy link",
  "control.copied": "Copied",
  "control.copyManually": "Copy this link:",
  "control.leave": "Leave",
  "control.label": "Call controls",
  "control.close": "Close",

  "call.heading": "Call in {room}",
  "call.people": "Participants",
  "call.count.one": "1 person",
  "call.count.many": "{count} people",
  "call.alone": "Nobody else is here yet",
  "call.aloneHint": "Send the link of this room to the people you want to see.",
  "call.joined": "{name} joined",
  "call.left": "{name} left",
  "call.playAll": "Click to play",

  "tile.you": "{name} (you)",
  "tile.guest": "Guest",
  "tile.muted": "microphone off",
  "tile.cameraOff": "camera off",
  "tile.video": "Video of {name}",
  "tile.connecting": "Connecting…",
  "tile.reconnecting": "Connection interrupted…",
  "tile.failed": "No connection",

  "banner.reconnecting": "Connection to the server lost. Reconnecting… Your call goes on.",
  "banner.offline": "You seem to be offline. Waiting for the network…",

  "chat.title": "Chat",
  "chat.unread": "{count} unread",
  "chat.message": "Message",
  "chat.send": "Send",
  "chat.empty": "Messages go straight to the people in the call and are kept nowhere.",
  "chat.failed": "The message reached nobody: no one is connected yet.",

  "left.left": "You left the call",
  "left.kicked": "You were removed from the call",
  "left.closed": "The room was closed",
  "left.lost": "The connection to the call was lost",
  "left.elsewhere": "The call goes on in another tab",
  "left.rejoin": "Rejoin",
  "left.home": "Another room",

  "error.insecure": "Camera and microphone need a secure address (https:// or localhost). You can join without them.",
  "error.camera.denied": "The camera is blocked. Allow it in the address bar or the site settings of your browser, then try again.",
  "error.microphone.denied": "The microphone is blocked. Allow it in the address bar or the site settings of your browser, then try again.",
  "error.both.denied": "Camera and microphone are blocked. Allow them in the address bar or the site settings of your browser, then try again.",
  "error.both.missing": "No camera and no microphone were found. Plug them in, or join without.",
  "error.camera.missing": "No camera was found. Plug one in, or join without.",
  "error.microphone.missing": "No microphone was found. Plug one in, or join without.",
  "error.camera.busy": "The camera can't be started. Another app may be using it: close that app, then try again.",
  "error.microphone.busy": "The microphone can't be started. Another app may be using it: close that app, then try again.",
  "error.camera.ended": "The camera was disconnected.",
  "error.microphone.ended": "The microphone was disconnected.",
  "error.camera.unknown": "The camera can't be used ({reason}).",
  "error.microphone.unknown": "The microphone can't be used ({reason}).",

  "error.room_full": "This room is full.",
  "error.invalid_room": "This can't be the name of a room.",
  "error.forbidden": "You may not join this room.",
  "error.unauthorized": "The server doesn't know you.",
  "error.unavailable": "The server can't take you in right now. Please try again.",
  "error.rate_limited": "Too many attempts. Please wait a moment.",
  "error.connection": "The server can't be reached. Please check your network and try again.",
  "error.other": "Joining failed ({reason}).",
};

/** The text of `key` with its values filled in. */
export function t(key, values = {}) {
  const text = ENGLISH[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** True when there is a text for `key`. */
export function hasText(key) {
  return key in ENGLISH;
}
