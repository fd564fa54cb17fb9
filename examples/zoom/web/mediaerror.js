import { hasText, t } from "./text.js";

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

/** What to tell of a camera's and a microphone's error, either of which may be none: one sentence where one will do. */
export function explain({ camera, microphone }) {
  const errors = [camera, microphone].filter(Boolean);
  const both = `error.both.${camera?.cause}`;
  if (camera?.cause === microphone?.cause && hasText(both)) return [t(both)];
  return [...new Set(errors.map((error) => error.text))];
}

/** An error of our own making, told apart by name as the browser's are. */
export function mediaFailure(name) {
  return Object.assign(new Error(name), { name });
}
