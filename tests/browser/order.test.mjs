// What a network may do to the order of things, the connection must bear.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./harness/stage.mjs";

const stage = Stage.set();

/** Lets a person's frames through, but holds each first `type` from a peer until that peer's candidates came. */
async function holdBack(person, type, candidates) {
  const seen = [];
  await person.page.routeWebSocket(/\/signal$/, (socket) => {
    const far = socket.connectToServer();
    const held = new Map();
    far.onMessage((text) => {
      const message = JSON.parse(text);
      if (message.type === type && !held.has(message.from)) {
        held.set(message.from, { text, missing: candidates });
        return;
      }
      seen.push(message.type);
      socket.send(text);
      const waiting = held.get(message.from);
      if (message.type !== "ice" || !waiting || waiting.missing === 0) return;
      waiting.missing -= 1;
      if (waiting.missing > 0) return;
      seen.push(type);
      socket.send(waiting.text);
    });
  });
  return seen;
}

for (const [type, late] of [["offer", "newcomer"], ["answer", "member"]]) {
  test(`candidates that come before the ${type} are kept for it`, async (t) => {
    const mina = await stage.open(t, "Mina");
    const jonas = await stage.open(t, "Jonas");
    const seen = await holdBack(late === "newcomer" ? jonas : mina, type, 1);
    await mina.join(stage.url, type);
    await jonas.join(stage.url, type);
    await mina.watches("Jonas");
    await jonas.watches("Mina");
    assert.ok(seen.indexOf("ice") >= 0 && seen.indexOf("ice") < seen.indexOf(type), `a candidate was first: ${seen}`);
  });
}

test("three who enter at the same moment all find each other", async (t) => {
  const people = await stage.people(t, "Mina", "Jonas", "Ayşe");
  for (const person of people) {
    await person.goto(`${stage.url}/r/together`);
    await person.fill("Your name", person.name);
    await person.ready();
  }
  await Promise.all(people.map((person) => person.press("Join")));
  for (const person of people) await person.watches(...people.filter((other) => other !== person).map(({ name }) => name));
  for (const person of people) {
    const open = (await person.connectionStates()).filter((state) => state !== "closed");
    assert.deepEqual(open, ["connected", "connected"]);
  }
});
