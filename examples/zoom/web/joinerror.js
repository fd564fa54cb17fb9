import { hasText, t } from "./text.js";

/** Says in a person's words why joining failed, from a `SignalError` or whatever else was thrown. */
export function joinError(error) {
  const key = `error.${error.code}`;
  if (error.code && hasText(key)) return t(key);
  if (error.code === "closed" || error.name === "TypeError" || error.code === "connection") return t("error.connection");
  return t("error.other", { reason: error.message || error.name });
}
