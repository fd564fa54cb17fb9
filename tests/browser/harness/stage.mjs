import { after, before } from "node:test";
import { ChromiumPerson, launchChromium } from "./chromium.mjs";
import { Cluster } from "./cluster.mjs";
import { Proxy } from "./proxy.mjs";
import { startServer } from "./server.mjs";

/**
 * What the tests of one file share: a server and a Chromium. Whatever a test opens on it ends with the test, passed or
 * failed, and nobody may have seen an error that the test didn't announce.
 */
export class Stage {
  /** Sets the stage for the file that calls it. */
  static set() {
    const stage = new Stage();
    before(async () => {
      stage.home = await startServer();
      stage.browser = await launchChromium();
    });
    after(async () => {
      await stage.browser?.close();
      await stage.home?.stop();
    });
    return stage;
  }

  get url() {
    return this.home.url;
  }

  /** A person for the test `t`. `complaints` is a pattern of what the console may say in it. */
  async open(t, name, { complaints, browser = this.browser, ...options } = {}) {
    return keep(t, await ChromiumPerson.open(browser, name, options), complaints);
  }

  /** Several persons at once. */
  people(t, ...names) {
    return Promise.all(names.map((name) => this.open(t, name)));
  }

  /** Two people in a room who see each other. */
  async pair(t, room, options) {
    const mina = await this.open(t, "Mina", options);
    const jonas = await this.open(t, "Jonas", options);
    await mina.join(this.url, room);
    await jonas.join(this.url, room);
    await mina.watches("Jonas");
    await jonas.watches("Mina");
    return { mina, jonas };
  }

  /** A server with flags of its own. */
  async server(t, flags, options) {
    const server = await startServer(flags, options);
    atEnd(t, () => server.stop());
    return server;
  }

  /** Several servers that are one service. */
  async cluster(t, count, options) {
    const cluster = await Cluster.start(count, options);
    atEnd(t, () => cluster.stop());
    return cluster;
  }

  /** A damageable way to a server. */
  async proxy(t, url) {
    const proxy = await Proxy.to(url);
    atEnd(t, () => proxy.close());
    return proxy;
  }
}

/** Lets a person go at the end of the test, and looks at what they complained about. */
export function keep(t, person, complaints) {
  atEnd(t, async () => {
    await person.close();
    person.assertClean(complaints);
  });
  return person;
}

const endings = new WeakMap();

/** Runs `ending` after the test, the last one first: people go before the server that they are at. */
function atEnd(t, ending) {
  if (!endings.has(t)) {
    const list = [];
    endings.set(t, list);
    t.after(async () => {
      const failures = [];
      for (const each of list.reverse()) await Promise.resolve(each()).catch((error) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    });
  }
  endings.get(t).push(ending);
}
