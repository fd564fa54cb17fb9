// Names and rooms are whatever people type, and what other clients send: text, never markup, never a broken layout.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

const stage = Stage.set();

const MARKUP = "<img src=x onerror=alert(1)><b>Bob</b>";

test("a name with markup is text for everyone", async (t) => {
  const mina = await stage.open(t, "Mina");
  const bob = await stage.open(t, MARKUP);
  await mina.join(stage.url, "markup");
  await bob.join(stage.url, "markup");
  await mina.sees(MARKUP);
  await bob.sees("Mina");
  await bob.press("Chat");
  await bob.page.getByLabel("Message").fill(MARKUP);
  await bob.page.keyboard.press("Enter");
  for (const person of [mina, bob]) {
    assert.equal(await person.page.locator("b, img[src=x]").count(), 0);
  }
});

test("whatever other clients call themselves, the grid holds", async (t) => {
  const mina = await stage.open(t, "Mina");
  await mina.join(stage.url, "strange");
  const stranger = await stage.open(t, "Stranger");
  await stranger.goto(`${stage.url}/`);
  const long = "W".repeat(900);
  const metas = [{}, { name: 7 }, { name: { toString: "no" } }, { name: "" }, { name: "  \u0000\n " }, { name: long, muted: "yes", cameraOff: [] }, { name: "\u202eevil gnp.exe" }];
  await stranger.page.evaluate(async (metas) => {
    const { SignalClient } = await import("/noom-signal/index.js");
    for (const meta of metas) {
      const client = new SignalClient("/signal");
      await client.connect();
      await client.join("strange", { meta });
    }
  }, metas);
  await until("all seven are there", async (seen) => {
    const names = await mina.names();
    seen(names);
    return names.length === 8;
  });
  const names = await mina.names();
  assert.equal(names.filter((name) => name === "Guest").length, 5);
  assert.ok(names.some((name) => /^W{20,80}…$/.test(name)), `a long name is cut: ${names}`);
  assert.ok(names.includes("evil gnp.exe"), "nothing turns the text around it");
  const layout = await mina.page.evaluate(() => {
    const grid = document.querySelector("[data-peer]").parentElement.getBoundingClientRect();
    const inside = [...document.querySelectorAll("[data-peer]")].every((tile) => {
      const { left, right, top, bottom } = tile.getBoundingClientRect();
      const name = tile.querySelector("bdi").getBoundingClientRect();
      return left >= grid.left - 1 && right <= grid.right + 1 && top >= grid.top - 1 && bottom <= grid.bottom + 1 && name.right <= right && name.left >= left;
    });
    return { inside, wide: document.documentElement.scrollWidth - innerWidth };
  });
  assert.deepEqual(layout, { inside: true, wide: 0 });
});

test("a room may be called anything; its link leads into it", async (t) => {
  const room = "회의 / 100% <b>";
  const mina = await stage.open(t, "Mina", { permissions: ["clipboard-read", "clipboard-write"] });
  await mina.goto(stage.url);
  await mina.fill("Room", room);
  await mina.enter();
  await mina.page.getByRole("heading", { level: 1 }).getByText(room).or(mina.page.getByRole("heading", { name: room })).first().waitFor();
  await mina.page.getByRole("group", { name: "Call controls" }).getByRole("button", { name: "Copy link" }).click();
  await mina.page.getByRole("status").getByText("Copied").waitFor();
  const link = await mina.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, `${stage.url}/r/${encodeURIComponent(room)}`);

  const jonas = await stage.open(t, "Jonas");
  await jonas.goto(link);
  assert.equal(await jonas.page.getByLabel("Room", { exact: true }).inputValue(), room);
  await jonas.enter();
  await mina.sees("Jonas");
  const ayse = await stage.open(t, "Ayşe");
  await ayse.goto(`${stage.url}/?room=${encodeURIComponent(room)}`);
  await ayse.enter();
  await mina.sees("Jonas", "Ayşe");
});

test("a missing name or room is asked for, not sent", async (t) => {
  const mina = await stage.open(t, "Mina");
  await mina.goto(stage.url);
  await mina.ready();
  await mina.press("Join");
  await mina.page.getByText("Please tell the others your name.").waitFor();
  await mina.fill("Your name", "Mina");
  await mina.fill("Room", "   ");
  await mina.press("Join");
  await mina.page.getByText("Please name a room.").waitFor();
  await mina.fill("Room", "방".repeat(60));
  await mina.press("Join");
  await mina.page.getByText("This room name is too long.").waitFor();
});

test("the back button leads out of the call, without a trace", async (t) => {
  const mina = await stage.open(t, "Mina");
  const jonas = await stage.open(t, "Jonas");
  await jonas.join(stage.url, "back");
  await mina.goto(stage.url);
  await mina.fill("Room", "back");
  await mina.enter();
  await jonas.sees("Mina");
  await mina.page.goBack();
  await mina.visible("Join");
  await jonas.sees();
  assert.ok((await mina.connectionStates()).every((state) => state === "closed"));
});

test("a full room says so", async (t) => {
  const small = await stage.server(t, ["--peers-per-room", "1"]);
  const mina = await stage.open(t, "Mina");
  const jonas = await stage.open(t, "Jonas");
  await mina.join(small.url, "full");
  await jonas.goto(`${small.url}/r/full`);
  await jonas.fill("Your name", "Jonas");
  await jonas.ready();
  await jonas.press("Join");
  await jonas.page.getByRole("alert").getByText("This room is full.").waitFor();
  await mina.leave();
  await jonas.press("Join");
  await jonas.visible("Leave");
});
