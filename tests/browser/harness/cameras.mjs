import { SMALL_CAMERA } from "./person.mjs";

// Chromium's fake_device_1 is a depth camera, whose picture the browser shows but doesn't send.
export const WIDE_CAMERA = "fake_device_2";

/** Cameras that can be told apart at the other end. */
export const TWO_CAMERAS = { ...SMALL_CAMERA, wide: WIDE_CAMERA };

export function hasShape({ width, height }, shape) {
  return Math.abs(width / height - shape) < 0.1;
}

/** Has a person choose the device of this name. */
export async function choose(person, kind, label) {
  await person.press("Devices");
  await person.page.getByRole("combobox", { name: kind }).selectOption({ label });
  await person.page.keyboard.press("Escape");
}
