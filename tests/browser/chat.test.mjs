// The text chat, which runs over the data channels between the people.
import assert from "node:assert/strict";
import { test } from "node:test";
import { messages, reads, say } from "./harness/chat.mjs";
import { Stage } from "./harness/stage.mjs";

const stage = Stage.set();

test("what one says, the others read, with the sender's name; what was not seen is counted", async (t) => {
  const [mina, jonas, ayse] = await stage.people(t, "Mina", "Jonas", "Ayşe");
  for (const person of [mina, jonas, ayse]) await person.join(stage.url, "chat");
  await mina.watches("Jonas", "Ayşe");
  await mina.press("Chat");
  await say(mina, "Good morning");
  await say(mina, "A link: <a href=x>x</a>");
  await jonas.visible("Chat, 2 unread");
  await jonas.press("Chat, 2 unread");
  await reads(jonas, ["Mina", "Good morning"], ["Mina", "A link: <a href=x>x</a>"]);
  await jonas.visible("Chat");
  await say(jonas, "Good morning, Mina");
  await reads(mina, ["Mina", "Good morning"], ["Mina", "A link: <a href=x>x</a>"], ["Jonas", "Good morning, Mina"]);
  await ayse.visible("Chat, 3 unread");
  assert.equal(await ayse.page.locator("a").count(), 0);

  // A message stays signed by its sender, who has gone.
  await jonas.leave();
  await mina.sees("Ayşe");
  assert.deepEqual((await messages(mina)).at(-1), ["Jonas", "Good morning, Mina"]);
});

test("a message that nobody can hear is not lost in silence", async (t) => {
  const mina = await stage.open(t, "Mina");
  await mina.join(stage.url, "alone");
  await mina.press("Chat");
  await say(mina, "Hello?");
  await mina.page.getByRole("alert").getByText("The message reached nobody").waitFor();
  assert.equal(await mina.page.getByRole("textbox", { name: "Message" }).inputValue(), "Hello?");
});
