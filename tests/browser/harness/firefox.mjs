import puppeteer from "puppeteer-core";
import { Person, SMALL_CAMERA } from "./person.mjs";
import { PATIENCE_MS } from "./wait.mjs";

const EXECUTABLE = process.env.NOOM_FIREFOX ?? "/usr/bin/firefox-esr";

/** Firefox with a fake camera and microphone that asks nobody for permission, driven over WebDriver BiDi. */
export function launchFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: EXECUTABLE,
    headless: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
    },
  });
}

/** A person in a Firefox context of their own. */
export class FirefoxPerson extends Person {
  static async open(browser, name, camera = SMALL_CAMERA) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const person = new FirefoxPerson(page, name);
    person.context = context;
    await page.evaluateOnNewDocument(Person.instrument, camera);
    page.on("console", (message) => message.type() === "error" && person.complaints.push(message.text()));
    page.on("pageerror", (error) => person.complaints.push(String(error)));
    return person;
  }

  async goto(url) {
    await this.page.goto(url);
  }

  async press(name) {
    await this.#find(name, "button").click();
  }

  async fill(label, text) {
    await this.#find(label, "textbox").fill(text);
  }

  async visible(name) {
    await this.#find(name, "button").wait();
  }

  close() {
    return this.context.close();
  }

  #find(name, role) {
    return this.page.locator(`::-p-aria([name="${name}"][role="${role}"])`);
  }
}
