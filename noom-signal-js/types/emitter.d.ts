/**
 * Typed events. Listeners run at once and in the order they were added; one that throws keeps
 * neither the others nor the library from going on: its error is reported to the page.
 *
 * @template {Record<string, any>} Events
 */
export declare class Emitter<Events extends Record<string, any>> {
    #private;
    /**
     * @template {keyof Events} Type
     * @param {Type} type
     * @param {(event: Events[Type]) => void} listener
     * @returns {() => void} removes the listener
     */
    on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;
}
