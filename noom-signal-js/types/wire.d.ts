/** @import { ServerMessage } from "./messages.js" */
import type { ServerMessage } from "./messages.js";
/**
 * Reads a text frame of the server.
 *
 * @param {string} text
 * @returns {{ counted: boolean, message?: ServerMessage }} no message if it is unreadable or of an unknown type
 */
export declare function read(text: string): {
    counted: boolean;
    message?: ServerMessage;
};
