/**
 * Builds an element.
 *
 * Children are nodes or text. Text only ever becomes a text node, so nothing a person types can turn into markup.
 * Props are `on…` listeners, `dataset`, DOM properties where the element has one of that name, else attributes;
 * a prop that is `undefined`, `null` or `false` is left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets a text only when it differs: a live region repeats itself to a screen reader on every write. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Moves focus to a heading or panel that is no tab stop of its own. */
export function focusOn(element) {
  if (!element.hasAttribute("tabindex")) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
