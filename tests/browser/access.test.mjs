// Accessible to all, on every screen size: axe finds nothing, nothing overflows, targets are large enough for a thumb.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { devices } from "playwright-core";
import { Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

const { defaultBrowserType, ...PHONE } = devices["iPhone 13"];
const SCREENS = { desktop: { viewport: { width: 1280, height: 800 } }, phone: PHONE };

const stage = Stage.set();

async function assertAccessible(person, where) {
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  assert.deepEqual(found, [], where);
}

/** Nothing hangs over the edge, and whatever can be pressed is at least 44 pixels tall and wide. */
async function assertFits(person, where) {
  const facts = await person.page.evaluate(() => {
    const small = [...document.querySelectorAll("button, select, input")]
      .filter((control) => control.checkVisibility())
      .map((control) => [control.textContent || control.id, control.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 44 || height < 44)
      .map(([name, { width, height }]) => `${name} ${width}x${height}`);
    return { overflow: document.documentElement.scrollWidth - innerWidth, small };
  });
  assert.deepEqual(facts, { overflow: 0, small: [] }, where);
}

for (const [screen, options] of Object.entries(SCREENS)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${screen}, ${colorScheme}: before, in and after a call`, async (t) => {
      const mina = await stage.open(t, "Mina", { ...options, colorScheme });
      const jonas = await stage.open(t, "Jonas with a name far too long for any tile of a phone");
      const check = async (where) => {
        await assertAccessible(mina, where);
        await assertFits(mina, where);
      };
      const room = `${screen}-${colorScheme}`;
      await mina.goto(`${stage.url}/r/${room}`);
      await mina.ready();
      await check("the screen before the call");
      await mina.fill("Room", "");
      await mina.press("Join");
      await check("with complaints");
      await mina.fill("Room", room);
      await mina.enter();
      await check("alone in the call");
      await jonas.join(stage.url, room);
      await jonas.press("Mute");
      await jonas.press("Stop video");
      await mina.tileIs(jonas.name, "off", ({ label, state }) => label.includes("camera off") && state === "connected");
      await until("the notices have gone", () => mina.page.evaluate(() => document.querySelectorAll(".notice").length === 0));
      await check("with another");
      await mina.press("Mute");
      await mina.press("Devices");
      await check("with the devices open");
      await mina.page.keyboard.press("Escape");
      await mina.press("Chat");
      await mina.page.getByRole("textbox", { name: "Message" }).fill("Hello");
      await mina.page.keyboard.press("Enter");
      await mina.page.getByRole("log").getByText("Hello").waitFor();
      await check("with the chat open");
      await mina.press("Close");
      await mina.leave();
      await check("after the call");
    });
  }
}

test("a phone shows four people without scrolling, upright and turned", async (t) => {
  const mina = await stage.open(t, "Mina", PHONE);
  const others = await stage.people(t, "Jonas", "Ayşe", "Bảo");
  await mina.join(stage.url, "four");
  for (const other of others) await other.join(stage.url, "four");
  await mina.watches("Jonas", "Ayşe", "Bảo");
  for (const viewport of [PHONE.viewport, { width: PHONE.viewport.height, height: PHONE.viewport.width }]) {
    await mina.page.setViewportSize(viewport);
    await until(`everything is on the screen of ${viewport.width}x${viewport.height}`, async (seen) => {
      const boxes = await mina.page.evaluate(() => [...document.querySelectorAll("[data-peer], footer button")]
        .filter((element) => element.checkVisibility())
        .map((element) => element.getBoundingClientRect())
        .map(({ left, top, right, bottom }) => ({ left, top, right, bottom })));
      seen(boxes);
      return boxes.length === 10 && boxes.every(({ left, top, right, bottom }) =>
        left >= 0 && top >= 0 && right <= viewport.width + 1 && bottom <= viewport.height + 1 && right - left >= 44);
    });
  }
});
