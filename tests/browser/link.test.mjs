// The way to the server breaks while people talk. Their calls don't need it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./harness/stage.mjs";

/** What a browser itself writes when a WebSocket (or the icon of a page just opened) can't be opened. */
const NO_SOCKET = /WebSocket connection to .* failed|Failed to load resource/;

const stage = Stage.set();

/** Mina behind a proxy, Jonas not; both see each other. */
async function pair(t, flags) {
  const server = await stage.server(t, flags);
  const proxy = await stage.proxy(t, server.url);
  const mina = await stage.open(t, "Mina", { complaints: NO_SOCKET });
  const jonas = await stage.open(t, "Jonas");
  await mina.join(proxy.url, "link");
  await jonas.join(server.url, "link");
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  return { proxy, mina, jonas, banner: mina.page.getByText("Your call goes on.") };
}

test("losing the WebSocket closes no call, and what was said meanwhile arrives", async (t) => {
  const { proxy, mina, jonas, banner } = await pair(t, ["--resume-ms", "60000", "--heartbeat-ms", "2000"]);
  proxy.cut();
  await banner.waitFor();
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  await mina.press("Mute");
  await jonas.press("Stop video");
  proxy.mend();
  await banner.waitFor({ state: "hidden" });
  await jonas.tileIs("Mina", "muted", ({ label }) => label.includes("microphone off"));
  await mina.tileIs("Jonas", "camera off", ({ label }) => label.includes("camera off"));
  await mina.sees("Jonas");
  await jonas.sees("Mina");
  assert.deepEqual(await mina.connectionStates(), ["connected"], "the connection of before, and no other");
  assert.deepEqual(await jonas.connectionStates(), ["connected"]);
});

test("a link that swallows everything is noticed, and the call goes on", async (t) => {
  const { proxy, mina, jonas, banner } = await pair(t, ["--resume-ms", "120000", "--heartbeat-ms", "2000"]);
  proxy.freeze();
  await banner.waitFor();
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  proxy.mend();
  await banner.waitFor({ state: "hidden" });
  assert.deepEqual(await mina.connectionStates(), ["connected"]);
  await jonas.press("Mute");
  await mina.tileIs("Jonas", "muted", ({ label }) => label.includes("microphone off"));
});

test("away for longer than the server waits: gone for the others, and back by itself", async (t) => {
  const { proxy, mina, jonas, banner } = await pair(t, ["--resume-ms", "1500", "--heartbeat-ms", "2000"]);
  proxy.cut();
  await banner.waitFor();
  await jonas.sees();
  proxy.mend();
  await banner.waitFor({ state: "hidden" });
  await mina.sees("Jonas");
  await jonas.sees("Mina");
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  const open = (await jonas.connectionStates()).filter((state) => state !== "closed");
  assert.deepEqual(open, ["connected"], "nothing of the time before is left");
});

test("one can leave while the server is away", async (t) => {
  const { proxy, mina, jonas, banner } = await pair(t, ["--resume-ms", "1500", "--heartbeat-ms", "2000"]);
  proxy.cut();
  await banner.waitFor();
  await mina.leave();
  assert.deepEqual(await mina.liveTracks(), []);
  assert.deepEqual(await mina.connectionStates(), ["closed"]);
  await jonas.sees();
  proxy.mend();
  await mina.press("Rejoin");
  await mina.enter();
  await mina.watches("Jonas");
  await jonas.watches("Mina");
});

test("a server that can't be reached is said, and one can try again", async (t) => {
  const proxy = await stage.proxy(t, stage.url);
  const mina = await stage.open(t, "Mina", { complaints: NO_SOCKET });
  await mina.goto(`${proxy.url}/r/unreachable`);
  proxy.cut();
  await mina.fill("Your name", "Mina");
  await mina.ready();
  await mina.press("Join");
  await mina.page.getByText("The server can't be reached.").waitFor();
  proxy.mend();
  await mina.press("Join");
  await mina.visible("Leave");
  await mina.sees();
});
