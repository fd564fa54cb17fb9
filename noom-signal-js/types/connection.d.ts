/** @typedef {{ code: number, reason: string }} Ending */
export type Ending = {
    code: number;
    reason: string;
};
/**
 * One WebSocket. Once it is dropped or closed, nothing more is heard from it: what a session takes
 * after its resume must come from the new connection alone.
 */
export declare class Connection {
    #private;
    /**
     * @param {typeof WebSocket} Socket
     * @param {string} url
     * @param {{ hello: () => string, text: (text: string) => void, closed: (ending: Ending) => void }} actions
     *   `hello` gives the first frame, when it can be sent
     */
    constructor(Socket: typeof WebSocket, url: string, { hello, text, closed }: {
        hello: () => string;
        text: (text: string) => void;
        closed: (ending: Ending) => void;
    });
    /** @param {string} text */
    send(text: string): void;
    /** Gives the connection up; the session stays open for a resume. */
    drop(): void;
    /** Ends the session. */
    close(): void;
}
