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
export declare function watchPage(page: Pick<EventTarget, "addEventListener" | "removeEventListener">, { wake, freeze, thaw, leave }: {
    wake: () => void;
    freeze: () => void;
    thaw: () => void;
    leave: () => void;
}): () => void;
