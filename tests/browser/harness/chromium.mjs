import { chromium } from "playwright-core";
import { Person, SMALL_CAMERA } from "./person.mjs";
import { PATIENCE_MS } from "./wait.mjs";

const EXECUTABLE = process.env.NOOM_CHROMIUM ?? "/usr/bin/chromium";

/** A browser with three fake cameras and microphones that asks nobody for permission. */
export function launchChromium(options) {
  return chromium.launch(launchOptions(options));
}

/** The same, with `kill()`, which ends all of its processes as a crash does: without a word to anyone. */
export async function launchKillableChromium() {
  const server = await chromium.launchServer(launchOptions());
  return { browser: await chromium.connect(server.wsEndpoint()), kill: () => server.kill() };
}

function launchOptions({ permitted = true } = {}) {
  return {
    executablePath: EXECUTABLE,
    headless: true,
    args: [
      "--no-sandbox",
      "--use-fake-device-for-media-stream=device-count=3,fps=15",
      ...(permitted ? ["--use-fake-ui-for-media-stream"] : []),
    ],
  };
}

/** A person in a browser context of their own: own storage, own permissions. */
export class ChromiumPerson extends Person {
  /** `init` runs in the page before anything else; `camera` is what every camera delivers. */
  static async open(browser, name, { init, initArg, camera = SMALL_CAMERA, ...contextOptions } = {}) {
    const context = await browser.newContext(contextOptions);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const person = new ChromiumPerson(page, name);
    person.context = context;
    await page.addInitScript(Person.instrument, camera);
    if (init) await page.addInitScript(init, initArg);
    person.#watch();
    return person;
  }

  async goto(url) {
    this.origin = new URL(url).origin;
    await this.page.goto(url);
  }

  async press(name) {
    await this.button(name).click();
  }

  async fill(label, text) {
    await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  async visible(name) {
    await this.button(name).waitFor();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Ends the person as closing the tab does. */
  async closeTab() {
    await this.page.close({ runBeforeUnload: false });
  }

  close() {
    return this.context.close().catch(() => {}); // the browser may be gone already
  }

  #watch() {
    this.page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    this.page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
    const note = (url) => {
      const { protocol, host } = new URL(url);
      if (["blob:", "data:"].includes(protocol)) return;
      if (host !== new URL(this.origin).host) this.strayRequests.push(url);
    };
    this.page.on("request", (request) => note(request.url()));
    this.page.on("websocket", (socket) => {
      note(socket.url());
      socket.on("framereceived", ({ payload }) => {
        const message = JSON.parse(payload);
        if (message.type === "hello") this.hellos.push(message);
      });
    });
  }
}
