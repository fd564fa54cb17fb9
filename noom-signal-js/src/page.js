/**
 * Watches what happens to the page and its network. Does nothing where there is no page (a worker
 * without these events, a test).
 *
 * @param {Pick<EventTarget, "addEventListener" | "removeEventListener">} page the window
 * @param {{ wake: () => void, freeze: () => void, thaw: () => void, leave: () => void }} actions
 *   `wake`: the network or the user is back, look at once whether the link lives. `freeze`: the page goes
 *   into the back-forward cache and may come back, by `thaw`. `leave`: it goes for good.
 * @returns {() => void} stops watching
 */
export function watchPage(page, { wake, freeze, thaw, leave }) {
  /** @type {Record<string, (event: any) => void>} */
  const listeners = {
    online: wake,
    visibilitychange: wake,
    pagehide: (event) => (event.persisted ? freeze() : leave()),
    pageshow: (event) => event.persisted && thaw(),
  };
  if (typeof page.addEventListener !== "function") return () => {};
  for (const [type, listener] of Object.entries(listeners)) page.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) page.removeEventListener(type, listener);
  };
}
