/** How long anything may take: the machine may be small and busy, and nothing waits longer than it must. */
export const PATIENCE_MS = 45_000;

const EVERY_MS = 100;

/**
 * Waits until `condition` returns something true, and returns that. Fails saying `what` was awaited and what was
 * there instead: the condition may report it by calling `seen`.
 */
export async function until(what, condition, timeoutMs = PATIENCE_MS) {
  const end = Date.now() + timeoutMs;
  let last = "nothing";
  for (;;) {
    const result = await condition((value) => (last = JSON.stringify(value)));
    if (result) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s; last seen: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
