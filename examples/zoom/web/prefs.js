const KEY = "noom.choices";

/**
 * What a person chose last time: name, muted, cameraOff, camera and microphone (device ids).
 *
 * Storage can be full or forbidden; then choices last as long as the page.
 */
export class Prefs {
  #values = { name: "", muted: false, cameraOff: false, camera: "", microphone: "" };

  constructor() {
    try {
      const stored = JSON.parse(localStorage.getItem(KEY));
      for (const [key, fallback] of Object.entries(this.#values)) {
        if (typeof stored?.[key] === typeof fallback) this.#values[key] = stored[key];
      }
    } catch {
      // Unreadable: start afresh.
    }
  }

  get(key) {
    return this.#values[key];
  }

  set(key, value) {
    this.#values[key] = value;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#values));
    } catch {
      // Kept in memory only.
    }
  }
}
