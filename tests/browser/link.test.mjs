// The way to the server breaks while people talk. Their calls don't need it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ChromiumPerson, launchChromium } from "./harness/chromium.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

/** What a browser itself writes when a WebSocket (or the icon of a page just opened) can't be opened. */
const NO_SOCKET = /WebSocket connection to .* failed|Failed to load resource/;

let browser;

before(async () => {
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
});

/** Mina behind a proxy, Jonas not; both see each other. */
async function pair(flags) {
  const server = await startServer(flags);
  const proxy = await Proxy.to(server.url);
  const mina = await ChromiumPerson.open(browser, "Mina");
  const jonas = await ChromiumPerson.open(browser, "Jonas");
  await mina.join(proxy.url, "link");
  await jonas.join(server.url, "link");
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  return { server, proxy, mina, jonas, banner: mina.page.getByText("Your call goes on.") };
}

async function end({ server, proxy, mina, jonas }) {
  mina.assertClean(NO_SOCKET);
  jonas.assertClean(NO_SOCKET);
  await mina.close();
  await jonas.close();
  await proxy.close();
  await server.stop();
}

test("losing the WebSocket closes no call, and what was said meanwhile arrives", async () => {
  const call = await pair(["--resume-ms", "60000", "--heartbeat-ms", "2000"]);
  const { proxy, mina, jonas, banner } = call;
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
  await end(call);
});

test("a link that swallows everything is noticed, and the call goes on", async () => {
  const call = await pair(["--resume-ms", "120000", "--heartbeat-ms", "2000"]);
  const { proxy, mina, jonas, banner } = call;
  proxy.freeze();
  await banner.waitFor();
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  proxy.mend();
  await banner.waitFor({ state: "hidden" });
  assert.deepEqual(await mina.connectionStates(), ["connected"]);
  await jonas.press("Mute");
  await mina.tileIs("Jonas", "muted", ({ label }) => label.includes("microphone off"));
  await end(call);
});

test("away for longer than the server waits: gone for the others, and back by itself", async () => {
  const call = await pair(["--resume-ms", "1500", "--heartbeat-ms", "2000"]);
  const { proxy, mina, jonas, banner } = call;
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
  await end(call);
});

test("a server that can't be reached is said, and one can try again", async () => {
  const server = await startServer();
  const proxy = await Proxy.to(server.url);
  const mina = await ChromiumPerson.open(browser, "Mina");
  await mina.goto(`${proxy.url}/r/unreachable`);
  proxy.cut();
  await mina.fill("Your name", "Mina");
  await mina.ready();
  await mina.press("Join");
  await mina.page.getByText("The server can't be reached.").waitFor();
  proxy.mend();
  await mina.press("Join");
  await mina.visible("Leave");
  await until("one is alone", async () => (await mina.names()).length === 1);
  mina.assertClean(NO_SOCKET);
  await mina.close();
  await proxy.close();
  await server.stop();
});
