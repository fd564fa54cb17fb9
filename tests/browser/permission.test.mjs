// Devices that are blocked, missing or busy: the page says so in words, and one can join all the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "./harness/chromium.mjs";
import { Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

const stage = Stage.set();

/** A browser that gives nothing without being asked. */
let strict;
before(async () => (strict = await launchChromium({ permitted: false })));
after(() => strict?.close());

/** Runs in the page: requests for these kinds fail until `repaired` is set. */
function failing({ error, kinds }) {
  if (!error) return Object.defineProperty(navigator, "mediaDevices", { value: undefined });
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!globalThis.repaired && kinds.some((kind) => constraints[kind])) throw new DOMException("refused by a test", error);
    return real(constraints);
  };
}

async function says(person, pattern) {
  await until(`${person.name} reads ${pattern}`, async (seen) => {
    const text = await person.page.getByRole("main").innerText();
    seen(text);
    assert.doesNotMatch(text, /NotAllowedError|NotFoundError|NotReadableError|\[object|undefined/);
    return pattern.test(text);
  });
}

const ERRORS = [
  ["NotAllowedError", /camera and microphone are blocked.*allow them/is, /the camera is blocked.*allow it/is],
  ["NotFoundError", /no camera and no microphone were found/i, /no camera was found/i],
  ["NotReadableError", /the microphone can't be started.*another app/is, /the camera can't be started.*another app/is],
];

for (const [error, words, cameraWords] of ERRORS) {
  test(`${error} for both devices is explained, and can be tried again`, async (t) => {
    const mina = await stage.open(t, "Mina", { init: failing, initArg: { error, kinds: ["audio", "video"] } });
    await mina.goto(`${stage.url}/r/${error}`);
    await says(mina, words);
    await mina.page.evaluate(() => (globalThis.repaired = true));
    await mina.press("Try again");
    await until("the preview plays", () => mina.page.getByLabel("Your camera").evaluate((video) => video.videoWidth > 0));
    await until("the complaint is gone", async () => !words.test(await mina.page.getByRole("main").innerText()));
  });

  test(`${error} for the camera alone costs the camera alone`, async (t) => {
    const mina = await stage.open(t, "Mina", { init: failing, initArg: { error, kinds: ["video"] }, permissions: ["microphone"], browser: strict });
    const jonas = await stage.open(t, "Jonas");
    await jonas.join(stage.url, `${error}-camera`);
    await mina.goto(`${stage.url}/r/${error}-camera`);
    await says(mina, cameraWords);
    assert.doesNotMatch(await mina.page.getByRole("main").innerText(), /microphone (is blocked|can't|was)/i);
    await mina.enter();
    await jonas.tileIs("Mina", "camera off, microphone on", ({ label }) => label.includes("camera off") && !label.includes("microphone off"));
    await jonas.hears("Mina");
    await mina.watches("Jonas");
  });
}

test("blocked by the browser itself: explained, and joining works without devices", async (t) => {
  const mina = await stage.open(t, "Mina", { browser: strict });
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "blocked");
  await mina.goto(`${stage.url}/r/blocked`);
  await says(mina, /camera and microphone are blocked/i);
  await mina.enter();
  await mina.watches("Jonas");
  await mina.hears("Jonas");
  await jonas.tileIs("Mina", "neither picture nor sound", ({ label }) => label.includes("camera off") && label.includes("microphone off"));
});

test("a camera allowed during the call reaches the others", async (t) => {
  const mina = await stage.open(t, "Mina", { init: failing, initArg: { error: "NotAllowedError", kinds: ["audio", "video"] } });
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "later");
  await mina.join(stage.url, "later");
  await jonas.sees("Mina");
  await mina.press("Start video");
  await mina.page.getByText(/camera is blocked/i).waitFor();
  await mina.page.evaluate(() => (globalThis.repaired = true));
  await mina.press("Start video");
  await jonas.watches("Mina");
  await mina.press("Unmute");
  await jonas.hears("Mina");
});

test("a page without a secure address says so, and one can still join", async (t) => {
  const mina = await stage.open(t, "Mina", { init: failing, initArg: {} });
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "insecure");
  await mina.goto(`${stage.url}/r/insecure`);
  await says(mina, /need a secure address/i);
  await mina.enter();
  await mina.watches("Jonas");
});

test("sound that the browser holds back waits for a click", async (t) => {
  /** Runs in the page: what a browser does before the first click. */
  function holdBack() {
    const play = HTMLMediaElement.prototype.play;
    document.addEventListener("click", ({ target }) => (globalThis.allowed ||= target.closest("button")?.textContent === "Click to play"), true);
    HTMLMediaElement.prototype.play = function () {
      return this.muted || globalThis.allowed ? play.call(this) : Promise.reject(new DOMException("not yet", "NotAllowedError"));
    };
  }
  const mina = await stage.open(t, "Mina", { init: holdBack });
  const jonas = await stage.open(t, "Jonas");
  const ayse = await stage.open(t, "Ayşe");
  for (const person of [jonas, ayse, mina]) await person.join(stage.url, "autoplay");
  const hints = mina.page.getByRole("button", { name: "Click to play" });
  await until("both tiles ask for a click", async () => (await hints.count()) === 2);
  await hints.first().click();
  await until("one click is enough", async () => (await hints.count()) === 0);
  await mina.watches("Jonas", "Ayşe");
});
