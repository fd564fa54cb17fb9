// The server is replaced while people talk: it drains, or it dies, and a new process knows nobody. Their calls go on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, hasShape, TWO_CAMERAS, WIDE_CAMERA } from "./harness/cameras.mjs";
import { FirefoxPerson, launchFirefox } from "./harness/firefox.mjs";
import { keep, Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

/** What browsers write themselves when a WebSocket ends, or can't be opened. */
const NO_SOCKET = /WebSocket|can.t establish a connection|was interrupted|Failed to load resource/;
const FLAGS = ["--resume-ms", "30000", "--heartbeat-ms", "5000", "--drain-ms", "500"];

const stage = Stage.set();
let firefox;
before(async () => (firefox = await launchFirefox()));
after(() => firefox?.close());

const openChromium = (t, name) => stage.open(t, name, { complaints: NO_SOCKET, camera: TWO_CAMERAS });
const openFirefox = async (t, name) => keep(t, await FirefoxPerson.open(firefox, name), NO_SOCKET);

async function inCall(people, url, room) {
  for (const person of people) await person.join(url, room);
  for (const person of people) {
    const others = people.filter((each) => each !== person).map(({ name }) => name);
    await person.sees(...others);
    await person.watches(...others);
  }
}

/** Ends the server as `how` says, and has another take its port. Gives that one when everyone is known there. */
async function replace(t, server, people, how) {
  const before = await Promise.all(people.map((person) => person.ids()));
  await server[how]();
  const next = await stage.server(t, FLAGS, { port: new URL(server.url).port });
  for (const [index, person] of people.entries()) {
    await until(`${person.name} knows everyone by their new ids`, async (seen) => {
      const ids = await person.ids();
      seen({ before: before[index], ids });
      return ids.length === before[index].length && !ids.some((id) => before[index].includes(id));
    });
  }
  return next;
}

/** What needs the new server: what one says of oneself, and what the connections have to agree on. */
async function areReached(one, other) {
  await one.press("Mute");
  await other.tileIs(one.name, "muted", ({ label }) => label.includes("microphone off"));
  await one.press("Stop video");
  await other.tileIs(one.name, "camera off", ({ label, shown }) => label.includes("camera off") && !shown);
  await one.press("Start video");
  await other.tileIs(one.name, "camera on", ({ label, shown }) => !label.includes("camera off") && shown);
  await other.watches(one.name);
}

for (const how of ["drain", "stop"]) {
  test(`a restart of the server (${how}) is no event in a call`, async (t) => {
    const server = await stage.server(t, FLAGS);
    const mina = await openChromium(t, "Mina");
    const jonas = await openChromium(t, "Jonas");
    await inCall([mina, jonas], server.url, "restart");
    await mina.record();
    await jonas.record();
    await replace(t, server, [mina, jonas], how);
    await mina.watches("Jonas");
    await jonas.watches("Mina");
    await mina.noticedNothing();
    await jonas.noticedNothing();

    await jonas.tileIs("Mina", "the 4:3 picture of the first camera", (now) => hasShape(now, 4 / 3));
    await choose(mina, "Camera", WIDE_CAMERA);
    await jonas.tileIs("Mina", "the wide picture of the other camera", (now) => hasShape(now, 16 / 9));
    await areReached(mina, jonas);
    await areReached(jonas, mina);
    assert.deepEqual(await mina.connectionStates(), ["connected"], "all of it on the first connection");
    await mina.leave();
    await jonas.sees();
  });
}

test("three people, and the server restarts twice", async (t) => {
  let server = await stage.server(t, FLAGS);
  const people = [await openChromium(t, "Mina"), await openChromium(t, "Jonas"), await openChromium(t, "Ayşe")];
  await inCall(people, server.url, "twice");
  for (const person of people) await person.record();
  for (let round = 0; round < 2; round += 1) server = await replace(t, server, people, "drain");
  for (const person of people) await person.noticedNothing();
  await areReached(people[2], people[0]);
  await areReached(people[0], people[1]);
  // Somebody new is welcome, and nobody is mixed up.
  const newcomer = await openChromium(t, "Bảo");
  await newcomer.join(server.url, "twice");
  await newcomer.watches("Mina", "Jonas", "Ayşe");
  await people[1].watches("Mina", "Ayşe", "Bảo");
});

for (const order of ["Chromium first", "Firefox first"]) {
  test(`a restart in a call of Chromium and Firefox, ${order}`, async (t) => {
    const server = await stage.server(t, FLAGS);
    const people = [await openChromium(t, "Chromium"), await openFirefox(t, "Firefox")];
    if (order === "Firefox first") people.reverse();
    await inCall(people, server.url, "browsers");
    for (const person of people) await person.record();
    await replace(t, server, people, "drain");
    const [first, second] = people;
    await first.watches(second.name);
    await second.watches(first.name);
    for (const person of people) await person.noticedNothing();
    await areReached(first, second);
    await areReached(second, first);
  });
}
