// Devices that are blocked, missing or busy: the page says so in words, and one can join all the same.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ChromiumPerson, launchChromium } from "./harness/chromium.mjs";
import { startServer } from "./harness/server.mjs";
import { until } from "./harness/wait.mjs";

let server;
let browser;
let strict;
const people = [];

before(async () => {
  server = await startServer();
  browser = await launchChromium();
  strict = await launchChromium({ permitted: false });
});

after(async () => {
  await browser?.close();
  await strict?.close();
  await server?.stop();
});

afterEach(async () => {
  const present = people.splice(0);
  for (const person of present) person.assertClean();
  for (const person of present) await person.close();
});

async function open(name, options, from = browser) {
  const person = await ChromiumPerson.open(from, name, options);
  people.push(person);
  return person;
}

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
  ["NotAllowedError", /camera is blocked.*allow it/is],
  ["NotFoundError", /no camera was found/i],
  ["NotReadableError", /another app may be using it/i],
];

for (const [error, words] of ERRORS) {
  test(`${error} for both devices is explained, and can be tried again`, async () => {
    const mina = await open("Mina", { init: failing, initArg: { error, kinds: ["audio", "video"] } });
    await mina.goto(`${server.url}/r/${error}`);
    await says(mina, words);
    await says(mina, /microphone/i);
    await mina.page.evaluate(() => (globalThis.repaired = true));
    await mina.press("Try again");
    await until("the preview plays", () => mina.page.getByLabel("Your camera").evaluate((video) => video.videoWidth > 0));
    await until("the complaint is gone", async () => !words.test(await mina.page.getByRole("main").innerText()));
  });

  test(`${error} for the camera alone costs the camera alone`, async () => {
    const mina = await open("Mina", { init: failing, initArg: { error, kinds: ["video"] }, permissions: ["microphone"] }, strict);
    const jonas = await open("Jonas");
    await jonas.join(server.url, `${error}-camera`);
    await mina.join(server.url, `${error}-camera`);
    await jonas.tileIs("Mina", "camera off, microphone on", ({ label }) => label.includes("camera off") && !label.includes("microphone off"));
    await jonas.hears("Mina");
    await mina.watches("Jonas");
  });
}

test("blocked by the browser itself: explained, and joining works without devices", async () => {
  const mina = await open("Mina", {}, strict);
  const jonas = await open("Jonas");
  await jonas.join(server.url, "blocked");
  await mina.goto(`${server.url}/r/blocked`);
  await says(mina, /camera is blocked/i);
  await mina.enter();
  await mina.watches("Jonas");
  await mina.hears("Jonas");
  await jonas.tileIs("Mina", "neither picture nor sound", ({ label }) => label.includes("camera off") && label.includes("microphone off"));
});

test("a camera allowed during the call reaches the others", async () => {
  const mina = await open("Mina", { init: failing, initArg: { error: "NotAllowedError", kinds: ["audio", "video"] } });
  const jonas = await open("Jonas");
  await jonas.join(server.url, "later");
  await mina.join(server.url, "later");
  await jonas.sees("Mina");
  await mina.press("Start video");
  await mina.page.getByText(/camera is blocked/i).waitFor();
  await mina.page.evaluate(() => (globalThis.repaired = true));
  await mina.press("Start video");
  await jonas.watches("Mina");
  await mina.press("Unmute");
  await jonas.hears("Mina");
});

test("a page without a secure address says so, and one can still join", async () => {
  const mina = await open("Mina", { init: failing, initArg: {} });
  const jonas = await open("Jonas");
  await jonas.join(server.url, "insecure");
  await mina.goto(`${server.url}/r/insecure`);
  await says(mina, /need a secure address/i);
  await mina.enter();
  await mina.watches("Jonas");
});

test("sound that the browser holds back waits for a click", async () => {
  /** Runs in the page: what a browser does before the first click. */
  function holdBack() {
    const play = HTMLMediaElement.prototype.play;
    document.addEventListener("click", ({ target }) => (globalThis.allowed ||= target.closest("button")?.textContent === "Click to play"), true);
    HTMLMediaElement.prototype.play = function () {
      return this.muted || globalThis.allowed ? play.call(this) : Promise.reject(new DOMException("not yet", "NotAllowedError"));
    };
  }
  const mina = await open("Mina", { init: holdBack });
  const jonas = await open("Jonas");
  const ayse = await open("Ayşe");
  for (const person of [jonas, ayse, mina]) await person.join(server.url, "autoplay");
  const hints = mina.page.getByRole("button", { name: "Click to play" });
  await until("both tiles ask for a click", async () => (await hints.count()) === 2);
  await hints.first().click();
  await until("one click is enough", async () => (await hints.count()) === 0);
  await mina.watches("Jonas", "Ayşe");
});
