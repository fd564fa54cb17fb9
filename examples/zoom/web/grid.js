import { h } from "./dom.js";
import { t } from "./text.js";

const GAP = 12;
const NARROW_GAP = 8;
/** How far a tile's shape may give way, as width by height, before the picture would lose too much. */
const FLATTEST = 16 / 9;
const TALLEST = 2 / 3;
/** Below this the grid scrolls. */
const SMALLEST = 96;

/** The tiles, laid out so that they are as large as the space allows. */
export class Grid {
  #tiles = new Map();
  #observer = new ResizeObserver(() => this.#layout());

  constructor() {
    this.element = h("ul", { class: "grid", role: "list", "aria-label": t("call.people") });
    this.#observer.observe(this.element);
  }

  get keys() {
    return [...this.#tiles.keys()];
  }

  get tiles() {
    return this.#tiles.values();
  }

  get size() {
    return this.#tiles.size;
  }

  get(key) {
    return this.#tiles.get(key);
  }

  add(key, tile) {
    this.#tiles.get(key)?.close();
    this.#tiles.set(key, tile);
    this.element.append(tile.element);
    this.#layout();
  }

  remove(key) {
    this.#tiles.get(key)?.close();
    this.#tiles.delete(key);
    this.#layout();
  }

  close() {
    this.#observer.disconnect();
    for (const key of this.keys) this.remove(key);
  }

  #layout() {
    const { clientWidth, clientHeight } = this.element;
    const gap = clientWidth < 600 ? NARROW_GAP : GAP;
    const { width, height } = fit(this.#tiles.size, clientWidth, clientHeight, gap);
    this.element.style.setProperty("--gap", `${gap}px`);
    this.element.style.setProperty("--tile-width", `${width}px`);
    this.element.style.setProperty("--tile-height", `${height}px`);
  }
}

/** The largest size of `count` equal tiles in a box, over every number of columns. */
export function fit(count, boxWidth, boxHeight, gap) {
  let best = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (boxWidth - gap * (columns - 1)) / columns;
    const cellHeight = (boxHeight - gap * (rows - 1)) / rows;
    const width = Math.min(cellWidth, cellHeight * FLATTEST);
    const height = Math.min(cellHeight, width / TALLEST);
    if (width * height > best.width * best.height) best = { width: Math.floor(width), height: Math.floor(height) };
  }
  return { width: Math.max(best.width, SMALLEST), height: Math.max(best.height, SMALLEST) };
}
