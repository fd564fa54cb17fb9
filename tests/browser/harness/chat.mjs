import { until } from "./wait.mjs";

/** Has a person, whose chat is open, write a line. */
export async function say(person, text) {
  await person.page.getByRole("textbox", { name: "Message" }).fill(text);
  await person.page.keyboard.press("Enter");
}

/** The messages in the log, as [name, text]. */
export function messages(person) {
  return person.page.getByRole("log", { name: "Chat" }).getByRole("listitem").evaluateAll((items) =>
    items.map((item) => [item.querySelector("bdi").textContent, item.querySelector("p:last-child").textContent]));
}

/** Waits until the log holds exactly these. */
export async function reads(person, ...expected) {
  await until(`${person.name} reads ${JSON.stringify(expected)}`, async (seen) => {
    const log = await messages(person);
    seen(log);
    return JSON.stringify(log) === JSON.stringify(expected);
  });
}
