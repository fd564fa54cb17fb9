import { report } from "./error.js";

/**
 * Typed events. Listeners run at once and in the order they were added; one that throws keeps
 * neither the others nor the library from going on: its error is reported to the page.
 *
 * @template {Record<string, any>} Events
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(event: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {(event: Events[Type]) => void} listener
   * @returns {() => void} removes the listener
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * @internal
   * @template {keyof Events} Type
   * @param {Type} type
   * @param {Events[Type]} event
   * @returns {boolean} whether anyone listens
   */
  emit(type, event) {
    const listeners = this.#listeners.get(type);
    // A copy: a listener may remove itself or add others.
    for (const listener of [...(listeners ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
    return Boolean(listeners?.size);
  }
}
