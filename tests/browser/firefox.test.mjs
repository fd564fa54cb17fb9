// Chromium and Firefox in one call, whoever comes first.
import { after, before, test } from "node:test";
import { FirefoxPerson, launchFirefox } from "./harness/firefox.mjs";
import { keep, Stage } from "./harness/stage.mjs";

const stage = Stage.set();
let firefox;
before(async () => (firefox = await launchFirefox()));
after(() => firefox?.close());

const openFirefox = async (t, name) => keep(t, await FirefoxPerson.open(firefox, name));

async function inCall(first, second) {
  await first.sees(second.name);
  await second.sees(first.name);
  await first.watches(second.name);
  await second.watches(first.name);
  await first.hears(second.name);
  await second.hears(first.name);
}

for (const order of ["Chromium first", "Firefox first"]) {
  test(`a call of Chromium and Firefox, ${order}`, async (t) => {
    const people = [await stage.open(t, "Chromium"), await openFirefox(t, "Firefox")];
    if (order === "Firefox first") people.reverse();
    const [first, second] = people;
    await first.join(stage.url, order);
    await second.join(stage.url, order);
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
  });
}

test("a third person", async (t) => {
  const one = await stage.open(t, "Chromium");
  const two = await openFirefox(t, "Firefox");
  const three = await stage.open(t, "Chromium too");
  for (const person of [one, two, three]) await person.join(stage.url, "three");
  await one.watches("Firefox", "Chromium too");
  await two.watches("Chromium", "Chromium too");
  await three.watches("Chromium", "Firefox");
  await one.leave();
  await two.sees("Chromium too");
  await three.sees("Firefox");
  await three.watches("Firefox");
});
