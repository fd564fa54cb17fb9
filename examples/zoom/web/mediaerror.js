import { t } from "./text.js";

const CAUSES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  EndedError: "ended",
};

/** Why a device can't be used. `kind` is "camera" or "microphone"; `cause` is what tests and styles may ask for. */
export class MediaError {
  constructor(kind, error) {
    this.kind = kind;
    this.cause = error.name === "InsecureError" ? "insecure" : (CAUSES[error.name] ?? "unknown");
    this.reason = error.message || error.name;
  }

  /** A sentence that tells a person what happened and what to do. */
  get text() {
    if (this.cause === "insecure") return t("error.insecure");
    return t(`error.${this.kind}.${this.cause}`, { reason: this.reason });
  }
}

/** An error of our own making, told apart by name as the browser's are. */
export function mediaFailure(name) {
  return Object.assign(new Error(name), { name });
}
