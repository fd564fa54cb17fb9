/** The smallest thing that tells others. A listener that throws is reported and doesn't stop the rest. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener` at every `event` until the returned function is called. */
  on(event, listener) {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
