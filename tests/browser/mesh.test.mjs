// Four people in one call, and every way in which one comes or goes. The grids are right each time: exactly those
// who are there, by name, and their pictures move.
import { test } from "node:test";
import { launchKillableChromium } from "./harness/chromium.mjs";
import { Stage } from "./harness/stage.mjs";

const ROOM = "mesh";

const stage = Stage.set();

async function seeEachOther(people) {
  for (const person of people) await person.sees(...namesBut(people, person));
  for (const person of people) await person.watches(...namesBut(people, person));
}

function namesBut(people, one) {
  return people.filter((person) => person !== one).map(({ name }) => name);
}

test("four people", async (t) => {
  const four = await stage.people(t, "Mina", "Jonas", "Ayşe", "Bảo");
  const [mina, jonas, ayse, bao] = four;

  /** One more person in the room, seen by Mina. `url` and the options say where they come from. */
  async function fifth(t, name, { url = stage.url, ...options } = {}) {
    const person = await stage.open(t, name, options);
    await person.join(url, ROOM);
    await mina.watches(name);
    return person;
  }

  await t.test("make a full mesh: each decodes the other three", async () => {
    await mina.join(stage.url, ROOM);
    await jonas.join(stage.url, ROOM);
    await seeEachOther([mina, jonas]);
    // The last two enter at the same moment.
    await Promise.all([ayse.join(stage.url, ROOM), bao.join(stage.url, ROOM)]);
    await seeEachOther(four);
    await mina.hears("Jonas", "Ayşe", "Bảo");
  });

  await t.test("a fifth joins and leaves", async (t) => {
    const person = await fifth(t, "Fünf");
    await seeEachOther([...four, person]);
    await person.leave();
    await seeEachOther(four);
  });

  await t.test("one reloads: out, and in again with the same name", async () => {
    await jonas.page.reload();
    await mina.sees("Ayşe", "Bảo");
    await ayse.sees("Mina", "Bảo");
    await bao.sees("Mina", "Ayşe");
    await jonas.enter();
    await seeEachOther(four);
  });

  await t.test("one closes the tab", async (t) => {
    const person = await fifth(t, "Closing");
    await person.closeTab();
    await seeEachOther(four);
  });

  await t.test("one whose browser is killed is gone when the time to come back has passed", async (t) => {
    const doomed = await launchKillableChromium();
    t.after(() => doomed.kill());
    const person = await fifth(t, "Killed", { browser: doomed.browser });
    await jonas.sees("Mina", "Ayşe", "Bảo", person.name);
    await doomed.kill();
    await seeEachOther(four);
  });

  await t.test("one whose network swallows everything, without a close, is gone too", async (t) => {
    const proxy = await stage.proxy(t, stage.url);
    await fifth(t, "Frozen", { url: proxy.url, complaints: /WebSocket connection to .* failed/ });
    proxy.freeze();
    // The tab runs on and thinks it is in the call; its pictures still reach the others, who must not show them.
    await seeEachOther(four);
    await proxy.close();
    await seeEachOther(four);
  });

  await t.test("leave one by one, and the last is alone", async () => {
    await jonas.leave();
    await ayse.sees("Mina", "Bảo");
    await ayse.leave();
    await bao.leave();
    await mina.sees();
  });
});
