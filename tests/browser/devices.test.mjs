// One's own camera and microphone: muting, switching, turning off, leaving; seen from both ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, hasShape, TWO_CAMERAS, WIDE_CAMERA } from "./harness/cameras.mjs";
import { Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

const stage = Stage.set();

/** Two people who see each other, with cameras that can be told apart. */
function pair(t, room) {
  return stage.pair(t, room, { camera: TWO_CAMERAS });
}

async function isMarked(viewer, name, mark, on = true) {
  await viewer.tileIs(name, `${on ? "" : "not "}marked "${mark}"`, ({ label }) => label.includes(mark) === on);
}

test("the own picture is muted and mirrored; the others' are neither", async (t) => {
  const { mina } = await pair(t, "mirror");
  const own = await mina.tile("Mina (you)");
  assert.equal(own.muted, true, "or everyone would hear themselves");
  assert.equal(own.transform, "matrix(-1, 0, 0, 1, 0, 0)");
  const other = await mina.tile("Jonas");
  assert.equal(other.muted, false);
  assert.equal(other.transform, "none");
});

test("the preview is muted and mirrored too", async (t) => {
  const mina = await stage.open(t, "Mina");
  await mina.goto(`${stage.url}/r/preview`);
  const preview = mina.page.getByLabel("Your camera");
  await until("the preview plays", () => preview.evaluate((video) => video.videoWidth > 0));
  assert.deepEqual(await preview.evaluate((video) => [video.muted, getComputedStyle(video).transform]), [true, "matrix(-1, 0, 0, 1, 0, 0)"]);
});

test("mute survives a camera switch, and the picture comes from the new camera", async (t) => {
  const { mina, jonas } = await pair(t, "switch");
  await jonas.hears("Mina");
  await mina.press("Mute");
  await isMarked(jonas, "Mina", "microphone off");
  await jonas.hearsNothingOf("Mina");
  await jonas.tileIs("Mina", "the 4:3 picture of the first camera", (now) => hasShape(now, 4 / 3));

  await choose(mina, "Camera", WIDE_CAMERA);
  await jonas.tileIs("Mina", "the wide picture of the other camera", (now) => hasShape(now, 16 / 9));
  await jonas.watches("Mina");
  await jonas.hearsNothingOf("Mina");
  await isMarked(jonas, "Mina", "microphone off");
  const [sent] = await mina.sentTracks();
  assert.deepEqual(sent.find(({ kind }) => kind === "audio").enabled, false);
  assert.equal(sent.find(({ kind }) => kind === "video").label, WIDE_CAMERA);
  const live = await mina.liveTracks();
  assert.deepEqual(live.map(({ kind }) => kind).sort(), ["audio", "video"], "the old camera is stopped");
  assert.equal((await mina.connectionStates()).length, 1, "and nothing was connected anew");

  await mina.press("Unmute");
  await jonas.hears("Mina");
  await isMarked(jonas, "Mina", "microphone off", false);
});

test("mute survives a microphone switch, and the old microphone is stopped", async (t) => {
  const { mina, jonas } = await pair(t, "microphones");
  await jonas.hears("Mina");
  await mina.press("Mute");
  await jonas.hearsNothingOf("Mina", 2);
  await choose(mina, "Microphone", "Fake Audio Input 2");
  await until("the new microphone is sent", async () => (await mina.sentTracks())[0].some(({ label }) => label === "Fake Audio Input 2"));
  await jonas.hearsNothingOf("Mina");
  assert.equal((await mina.liveTracks()).filter(({ kind }) => kind === "audio").length, 1);
  await mina.press("Unmute");
  await jonas.hears("Mina");
});

test("a camera that is off is stopped, and comes back when turned on", async (t) => {
  const { mina, jonas } = await pair(t, "off");
  await mina.press("Stop video");
  await isMarked(jonas, "Mina", "camera off");
  await jonas.tileIs("Mina", "without picture", ({ shown }) => !shown);
  assert.deepEqual((await mina.liveTracks()).map(({ kind }) => kind), ["audio"], "the camera's light is out");
  await jonas.hears("Mina");
  await mina.press("Start video");
  await isMarked(jonas, "Mina", "camera off", false);
  await jonas.watches("Mina");
  assert.equal((await mina.liveTracks()).length, 2);
});

test("when the microphone is unplugged another steps in, as muted as the old one", async (t) => {
  const { mina, jonas } = await pair(t, "unplugged");
  await jonas.hears("Mina");
  await mina.press("Mute");
  await jonas.hearsNothingOf("Mina", 2);
  const unplug = (kind) => mina.page.evaluate((kind) => {
    const track = globalThis.made.tracks.findLast((each) => each.kind === kind && each.readyState === "live");
    track.stop();
    track.dispatchEvent(new Event("ended"));
  }, kind);
  await unplug("audio");
  await mina.page.getByText("The microphone was disconnected.").waitFor();
  await until("another microphone is sent", async () => (await mina.sentTracks())[0].some(({ kind, readyState }) => kind === "audio" && readyState === "live"));
  await jonas.hearsNothingOf("Mina", 2);
  await mina.press("Unmute");
  await jonas.hears("Mina");

  // Another camera might show what nobody chose to show: it waits to be asked for.
  await unplug("video");
  await isMarked(jonas, "Mina", "camera off");
  await mina.press("Start video");
  await jonas.watches("Mina");
});

test("switches pressed in haste end as they were pressed last", async (t) => {
  const { mina, jonas } = await pair(t, "haste");
  for (let round = 0; round < 3; round += 1) {
    await mina.press("Stop video");
    await mina.press("Mute");
    await mina.press("Start video");
    await mina.press("Unmute");
  }
  await mina.press("Mute");
  await isMarked(jonas, "Mina", "microphone off");
  await isMarked(jonas, "Mina", "camera off", false);
  await jonas.watches("Mina");
  await until("one camera and one microphone run", async (seen) => {
    const live = await mina.liveTracks();
    seen(live);
    return live.length === 2;
  });
});

test("leaving stops every track and connection; the others' grids are right; one can come back", async (t) => {
  const { mina, jonas } = await pair(t, "leaving");
  await mina.leave();
  await jonas.sees();
  assert.deepEqual(await mina.liveTracks(), []);
  assert.deepEqual(await mina.connectionStates(), ["closed"]);
  await until("the page at the other end has let go too", async () => (await jonas.connectionStates()).every((state) => state === "closed"));
  await mina.press("Rejoin");
  await mina.enter();
  await mina.watches("Jonas");
  await jonas.watches("Mina");
  assert.equal((await mina.liveTracks()).length, 2);
});

test("choices made before the call hold in it, and are remembered", async (t) => {
  const mina = await stage.open(t, "Mina");
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "choices");
  await mina.goto(`${stage.url}/r/choices`);
  await mina.press("Mute");
  await mina.press("Stop video");
  await mina.enter();
  await isMarked(jonas, "Mina", "microphone off");
  await isMarked(jonas, "Mina", "camera off");
  await mina.page.reload();
  await mina.visible("Unmute");
  await mina.visible("Start video");
  assert.equal(await mina.page.getByLabel("Your name", { exact: true }).inputValue(), "Mina");
  assert.deepEqual((await mina.liveTracks()).filter(({ kind }) => kind === "video"), [], "a camera that was off is not even asked for");
});

test("the keyboard alone is enough", async (t) => {
  const mina = await stage.open(t, "Mina");
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "keyboard");
  await mina.goto(`${stage.url}/r/keyboard`);
  await mina.ready();
  await mina.page.keyboard.type("Mina"); // the field has the focus
  await mina.page.keyboard.press("Enter");
  await mina.visible("Leave");
  await mina.page.keyboard.press("Control+d");
  await isMarked(jonas, "Mina", "microphone off");
  await mina.page.keyboard.press("Control+e");
  await isMarked(jonas, "Mina", "camera off");
  await mina.button("Leave").focus();
  await mina.page.keyboard.press("Enter");
  await jonas.sees();
});
