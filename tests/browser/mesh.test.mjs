// Four people in one call, and every way in which one comes or goes. The grids are right each time: exactly those
// who are there, by name, and their pictures move.
import { after, before, test } from "node:test";
import { ChromiumPerson, launchChromium, launchKillableChromium } from "./harness/chromium.mjs";
import { Proxy } from "./harness/proxy.mjs";
import { startServer } from "./harness/server.mjs";

const ROOM = "mesh";

let server;
let browser;
let mina, jonas, ayse, bao;
let four;

before(async () => {
  server = await startServer();
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function seeEachOther(people) {
  for (const person of people) await person.sees(...people.filter((other) => other !== person).map(({ name }) => name));
  for (const person of people) await person.watches(...people.filter((other) => other !== person).map(({ name }) => name));
}

const open = (name) => ChromiumPerson.open(browser, name);

test("four people make a full mesh: each decodes the other three", async () => {
  four = [mina, jonas, ayse, bao] = await Promise.all(["Mina", "Jonas", "Ayşe", "Bảo"].map(open));
  await mina.join(server.url, ROOM);
  await jonas.join(server.url, ROOM);
  await seeEachOther([mina, jonas]);
  // The last two enter at the same moment.
  await Promise.all([ayse.join(server.url, ROOM), bao.join(server.url, ROOM)]);
  await seeEachOther(four);
  await mina.hears("Jonas", "Ayşe", "Bảo");
});

test("a fifth joins and leaves", async () => {
  const fifth = await open("Fünf");
  await fifth.join(server.url, ROOM);
  await fifth.watches("Mina", "Jonas", "Ayşe", "Bảo");
  for (const person of four) {
    await person.sees(...four.filter((other) => other !== person).map(({ name }) => name), "Fünf");
    await person.watches("Fünf");
  }
  await fifth.leave();
  await seeEachOther(four);
  fifth.assertClean();
  await fifth.close();
});

test("one reloads: out, and in again with the same name", async () => {
  await jonas.page.reload();
  await mina.sees("Ayşe", "Bảo");
  await ayse.sees("Mina", "Bảo");
  await bao.sees("Mina", "Ayşe");
  await jonas.enter();
  await seeEachOther(four);
});

test("one closes the tab", async () => {
  const fifth = await open("Closing");
  await fifth.join(server.url, ROOM);
  await mina.sees("Jonas", "Ayşe", "Bảo", "Closing");
  await fifth.closeTab();
  await seeEachOther(four);
  fifth.assertClean();
  await fifth.close();
});

test("one whose browser is killed is gone when its time to come back has passed", async () => {
  const doomed = await launchKillableChromium();
  const fifth = await ChromiumPerson.open(doomed.browser, "Killed");
  await fifth.join(server.url, ROOM);
  await mina.watches("Killed");
  await doomed.kill();
  await seeEachOther(four);
});

test("one whose network swallows everything, without a close, is gone too", async () => {
  const proxy = await Proxy.to(server.url);
  const fifth = await open("Frozen");
  await fifth.join(proxy.url, ROOM);
  await mina.watches("Frozen");
  proxy.freeze();
  await seeEachOther(four);
  // Its own browser runs on and thinks it is in the call; the others must not take it for a guest.
  await proxy.close();
  await fifth.close();
  await seeEachOther(four);
});

test("the last one finds an empty room, and nobody saw an error", async () => {
  await jonas.leave();
  await ayse.leave();
  await bao.leave();
  await mina.sees();
  for (const person of four) person.assertClean();
  for (const person of four) await person.close();
});
