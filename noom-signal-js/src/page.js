/**
 * Watches what happens to the page and its network. Does nothing where there is no page (a worker
 * without these events, a test).
 *
 * @param {Pick<EventTarget, "addEventListener" | "removeEventListener">} page the window
 * @param {{ wake: () => void, freeze: () => void, leave: () => void }} actions
 *   `wake`: the network, the user or the page is back. `freeze`: the page goes into the back-forward cache
 *   and may come back, by `wake`. `leave`: it goes for good
 * @returns {() => void} stops watching
 */
export function watchPage(page, { wake, freeze, leave }) {
  /** @type {Record<string, (event: any) => void>} */
  const listeners = {
    online: wake,
    visibilitychange: ({ target }) => target.visibilityState !== "hidden" && wake(),
    pagehide: ({ persisted }) => (persisted ? freeze() : leave()),
    pageshow: ({ persisted }) => persisted && wake(),
  };
  if (typeof page.addEventListener !== "function") return () => {};
  for (const [type, listener] of Object.entries(listeners)) page.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) page.removeEventListener(type, listener);
  };
}
