/** @import { ServerMessage } from "./messages.js" */

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} value */
const isString = (value) => typeof value === "string";

/** @param {Record<string, string>} shape */
const listOf = (shape) => (/** @type {any} */ value) => Array.isArray(value) && value.every((item) => fits(item, shape));

const peer = { peer: "string", meta: "object", since: "number", user: "string?" };

/** @type {Record<string, (value: any) => boolean>} */
const KINDS = {
  string: isString,
  number: Number.isSafeInteger,
  object: isObject,
  nullable: (value) => value === null || isObject(value),
  any: (value) => value !== undefined,
  strings: (value) => Array.isArray(value) && value.every(isString),
  peers: listOf(peer),
  rooms: listOf({ room: "string", peers: "number" }),
  iceServers: listOf({}),
};

/**
 * What the library relies on in each message. Anything else in it is passed on as it came.
 *
 * @type {Record<ServerMessage["type"], Record<string, string>>}
 */
const SHAPES = {
  hello: {
    peer: "string",
    session: "string",
    resumed: "string",
    iceServers: "iceServers",
    user: "string?",
    received: "number?",
    rooms: "strings?",
    limits: "object?",
  },
  ack: { id: "number" },
  error: { code: "string", message: "string", id: "number?", retryAfterMs: "number?" },
  joined: { room: "string", version: "number", peers: "peers", id: "number?" },
  welcome: { room: "string", version: "number", ...peer },
  updated: { room: "string", version: "number", peer: "string", meta: "object", id: "number?" },
  bye: { room: "string", version: "number", peer: "string", reason: "string", id: "number?" },
  roster: { room: "string", version: "number", peers: "peers" },
  missed: { room: "string", peer: "string" },
  offer: { room: "string", from: "string", sdp: "string" },
  answer: { room: "string", from: "string", sdp: "string" },
  ice: { room: "string", from: "string", candidate: "nullable" },
  message: { room: "string", from: "string", data: "any" },
  lobby: { rooms: "rooms", id: "number?" },
  iceServers: { iceServers: "iceServers", id: "number?" },
  pong: { received: "number" },
  goaway: { reason: "string", reconnectMs: "number" },
};

/** Frames that belong to their connection: they are not counted and never come again. */
const UNCOUNTED = new Set(["hello", "ping", "pong", "goaway", "lobby"]);

/**
 * Reads a text frame of the server.
 *
 * @param {string} text
 * @returns {{ counted: boolean, message?: ServerMessage }} no message if it is unreadable or of an unknown type
 */
export function read(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return { counted: true };
  }
  const type = message?.type;
  const counted = !UNCOUNTED.has(type);
  // `type` is looked up only as a string: `["pong"]` would find "pong" too.
  const shape = typeof type === "string" && Object.hasOwn(SHAPES, type) && SHAPES[/** @type {ServerMessage["type"]} */ (type)];
  const known = shape && fits(message, shape);
  return known ? { counted, message } : { counted };
}

/**
 * @param {any} value
 * @param {Record<string, string>} shape
 */
function fits(value, shape) {
  if (!isObject(value)) return false;
  return Object.entries(shape).every(([name, kind]) => {
    const optional = kind.endsWith("?");
    const member = value[name];
    return (optional && member === undefined) || KINDS[optional ? kind.slice(0, -1) : kind]?.(member);
  });
}
