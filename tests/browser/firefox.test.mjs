// Chromium and Firefox in one call, whoever comes first.
import { after, before, test } from "node:test";
import { ChromiumPerson, launchChromium } from "./harness/chromium.mjs";
import { FirefoxPerson, launchFirefox } from "./harness/firefox.mjs";
import { startServer } from "./harness/server.mjs";

let server;
let chromium;
let firefox;

before(async () => {
  server = await startServer();
  chromium = await launchChromium();
  firefox = await launchFirefox();
});

after(async () => {
  await chromium?.close();
  await firefox?.close();
  await server?.stop();
});

async function inCall(first, second) {
  await first.sees(second.name);
  await second.sees(first.name);
  await first.watches(second.name);
  await second.watches(first.name);
  await first.hears(second.name);
  await second.hears(first.name);
}

for (const order of ["Chromium first", "Firefox first"]) {
  test(`a call of Chromium and Firefox, ${order}`, async () => {
    const people = [await ChromiumPerson.open(chromium, "Chromium"), await FirefoxPerson.open(firefox, "Firefox")];
    if (order === "Firefox first") people.reverse();
    const [first, second] = people;
    await first.join(server.url, order);
    await second.join(server.url, order);
    await inCall(first, second);

    // What changes the connection must go through the other browser as well.
    for (const [one, other] of [[first, second], [second, first]]) {
      await one.press("Stop video");
      await other.tileIs(one.name, "camera off", ({ label, shown }) => label.includes("camera off") && !shown);
      await one.press("Start video");
      await other.tileIs(one.name, "camera on", ({ label, shown }) => !label.includes("camera off") && shown);
      await other.watches(one.name);
    }

    await second.leave();
    await first.sees();
    for (const person of people) person.assertClean();
    for (const person of people) await person.close();
  });
}

test("a third person", async () => {
  const one = await ChromiumPerson.open(chromium, "Chromium");
  const two = await FirefoxPerson.open(firefox, "Firefox");
  const three = await ChromiumPerson.open(chromium, "Chromium too");
  for (const person of [one, two, three]) await person.join(server.url, "three");
  await one.watches("Firefox", "Chromium too");
  await two.watches("Chromium", "Chromium too");
  await three.watches("Chromium", "Firefox");
  await one.leave();
  await two.sees("Chromium too");
  await three.sees("Firefox");
  await three.watches("Firefox");
  for (const person of [one, two, three]) {
    person.assertClean();
    await person.close();
  }
});
