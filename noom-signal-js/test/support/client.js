import { SignalClient, SignalError } from "../../src/index.js";
import { FakeServer } from "./server.js";

/** A client, its server, and the client's states in order. */
export function pair(t, options = {}, set = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const server = Object.assign(new FakeServer(), set);
  const page = new EventTarget();
  const signal = new SignalClient("http://host/signal", { WebSocket: server.WebSocket, random: () => 1, page, ...options });
  const states = [];
  signal.on("state", ({ state, retryInMs }) => states.push(retryInMs === undefined ? state : `${state} ${retryInMs}`));
  t.after(() => signal.close());
  const pass = async (ms, step = 100) => {
    for (let passed = 0; passed < ms; passed += step) {
      t.mock.timers.tick(Math.min(step, ms - passed));
      await server.run();
    }
  };
  const show = (type, details) => page.dispatchEvent(Object.assign(new Event(type), details));
  return { server, signal, states, pass, show };
}

/** A connected client. */
export async function connected(t, options, set) {
  const all = pair(t, options, set);
  const hello = all.signal.connect();
  await all.server.run();
  return { ...all, hello: await hello };
}

export const code = (expected) => (error) => error instanceof SignalError && error.code === expected;
/** What a promise came to, without waiting for it. */
export const outcome = (promise) => {
  const seen = { value: undefined, error: undefined };
  promise.then(
    (value) => (seen.value = value ?? "done"),
    (error) => (seen.error = error.code),
  );
  return seen;
};
