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
export declare function watchPage(page: Pick<EventTarget, "addEventListener" | "removeEventListener">, { wake, freeze, leave }: {
    wake: () => void;
    freeze: () => void;
    leave: () => void;
}): () => void;
