// The way to the server is gone for ten seconds, in every way in which one goes. The session is kept, and a call has no
// reason to notice: not while it is gone, not when it is back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { choose, hasShape, TWO_CAMERAS, WIDE_CAMERA } from "./harness/cameras.mjs";
import { FirefoxPerson, launchFirefox } from "./harness/firefox.mjs";
import { keep, Stage } from "./harness/stage.mjs";

const NO_SOCKET = /WebSocket connection to .* failed|Failed to load resource/;
const GONE_MS = 10_000;

const stage = Stage.set();

let firefox;
before(async () => (firefox = await launchFirefox()));
after(() => firefox?.close());

const WAYS = {
  "breaks and can't be made again": { damage: "cut", heartbeatMs: 2000 },
  "breaks, with a Firefox at the other end of the call": { damage: "cut", heartbeatMs: 2000, other: "Firefox" },
  "keeps everything back, and the server gives the link up": { damage: "hold", heartbeatMs: 2000 },
  "keeps everything back, and nobody finds out": { damage: "hold", heartbeatMs: 25_000 },
  "swallows everything": { damage: "freeze", heartbeatMs: 2000 },
};

for (const [what, { damage, heartbeatMs, other }] of Object.entries(WAYS)) {
  test(`a link that ${what}, for ten seconds, is no event in a call`, async (t) => {
    const server = await stage.server(t, ["--resume-ms", "60000", "--heartbeat-ms", String(heartbeatMs)]);
    const proxy = await stage.proxy(t, server.url);
    const mina = await stage.open(t, "Mina", { complaints: NO_SOCKET, camera: TWO_CAMERAS });
    const jonas = other ? keep(t, await FirefoxPerson.open(firefox, "Jonas")) : await stage.open(t, "Jonas");
    await mina.join(proxy.url, "cut");
    await jonas.join(server.url, "cut");
    await mina.watches("Jonas");
    await jonas.watches("Mina");
    const ids = [await mina.ids(), await jonas.ids()];
    await mina.record();
    await jonas.record();

    proxy[damage]();
    await pass(GONE_MS);
    proxy.mend();

    // Back when each hears of the other again. That it takes both ways shows that nothing was lost on either.
    await jonas.press("Mute");
    await mina.tileIs("Jonas", "muted", ({ label }) => label.includes("microphone off"));
    await mina.press("Mute");
    await jonas.tileIs("Mina", "muted", ({ label }) => label.includes("microphone off"));
    await mina.page.getByText("Your call goes on.").waitFor({ state: "hidden" });
    await mina.noticedNothing();
    await jonas.noticedNothing();
    assert.deepEqual([await mina.ids(), await jonas.ids()], ids);
    const [first, ...later] = mina.hellos.map(({ resumed }) => resumed);
    assert.equal(first, "new");
    assert.ok(later.every((resumed) => resumed === "full"), `resumed in full: ${later}`);
    if (heartbeatMs < GONE_MS) assert.ok(later.length > 0, "somebody gave the link up");

    await jonas.tileIs("Mina", "the 4:3 picture of the first camera", (now) => hasShape(now, 4 / 3));
    await choose(mina, "Camera", WIDE_CAMERA);
    await jonas.tileIs("Mina", "the wide picture of the other camera", (now) => hasShape(now, 16 / 9));
    await jonas.watches("Mina");
    // Off and on again is agreed on through the server.
    await mina.press("Stop video");
    await jonas.tileIs("Mina", "without picture", ({ shown }) => !shown);
    await mina.press("Start video");
    await jonas.watches("Mina");
    assert.deepEqual(await mina.connectionStates(), ["connected"], "the connection of before, and no other");
  });
}
