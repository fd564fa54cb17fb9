/**
 * Sends a signal; again where the server couldn't take it but may soon.
 *
 * @param {() => Promise<void>} send
 * @param {() => boolean} isWanted whether it still has a meaning
 */
export declare function relay(send: () => Promise<void>, isWanted: () => boolean): Promise<void>;
