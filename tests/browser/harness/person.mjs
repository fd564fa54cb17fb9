import assert from "node:assert/strict";
import { connectionStates, instrument, namesInGrid, ownTracks, record, recorded, sentTracks, tileFacts } from "./probes.mjs";
import { PATIENCE_MS, until } from "./wait.mjs";

/** The energy of a few seconds of received silence is a thousand times less, that of one beep a thousand times more. */
const SILENCE = 1e-6;

/** A picture may stand still for so long on a machine that does much else. */
const STILL_MS = 3000;

export const SMALL_CAMERA = { width: 320, height: 240, frameRate: 15 };

/**
 * What any person at any browser can see; the browsers differ in how one types and clicks.
 *
 * Subclasses give `press(button)`, `fill(label, text)`, `visible(button)` and `goto(url)`.
 */
export class Person {
  /** Console errors and failures that no one should see. */
  complaints = [];
  /** Requests that left the page's own server. */
  strayRequests = [];
  /** What the server said whenever the page came to it, or back; in Chromium. */
  hellos = [];

  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  static instrument = instrument;

  /** Opens the room's link and joins. */
  async join(url, room) {
    await this.goto(`${url}/r/${encodeURIComponent(room)}`);
    await this.enter();
    return this;
  }

  /** From the screen before the call into it. */
  async enter() {
    await this.fill("Your name", this.name);
    await this.ready();
    await this.press("Join");
    await this.visible("Leave");
  }

  /** The devices have answered, one way or the other: the preview says nothing of waiting any more. */
  async ready() {
    await until(`${this.name}'s devices answered`, () =>
      this.page.evaluate(() => !document.querySelector("main")?.textContent.includes("Waiting for permission")));
  }

  async leave() {
    await this.press("Leave");
    await this.visible("Rejoin");
  }

  names() {
    return this.page.evaluate(namesInGrid);
  }

  /** Waits until the grid holds oneself and exactly these others. */
  async sees(...others) {
    const expected = [`${this.name} (you)`, ...others].sort();
    await until(`${this.name} sees ${others.join(", ") || "nobody"}`, async (seen) => {
      const names = (await this.names()).sort();
      seen(names);
      return names.length === expected.length && names.every((name, index) => name === expected[index]);
    });
  }

  /** The others' ids, in the grid's order. */
  async ids() {
    const ids = await this.page.evaluate(() => [...document.querySelectorAll("[data-peer]")].map(({ dataset }) => dataset.peer));
    return ids.filter((id) => id !== "self");
  }

  tile(name) {
    return this.page.evaluate(tileFacts, name);
  }

  /** Waits until a tile is as wanted. */
  async tileIs(name, what, condition) {
    return until(`${this.name}'s tile of ${name}: ${what}`, async (seen) => {
      const facts = await this.tile(name);
      seen(facts);
      return facts && condition(facts) && facts;
    });
  }

  /** Waits until pictures of these people are decoded and painted, and go on. */
  async watches(...names) {
    for (const name of names) {
      const first = await this.tileIs(name, "connected", ({ state, framesDecoded }) => state === "connected" && framesDecoded > 0);
      await this.tileIs(name, `a moving picture, after ${first.framesDecoded} frames decoded and ${first.painted} painted`,
        (now) => now.framesDecoded > first.framesDecoded + 3 && now.painted > first.painted + 3 && now.width > 0);
    }
  }

  /** Waits until these people are heard. */
  async hears(...names) {
    for (const name of names) {
      const before = await this.tileIs(name, "sound arrives", ({ audioSeconds }) => audioSeconds > 0);
      await this.tileIs(name, "sound is heard", ({ audioEnergy }) => audioEnergy > before.audioEnergy + 100 * SILENCE);
    }
  }

  /** Waits for `seconds` of received sound, all of them silent. Sound still on its way at the start is let pass. */
  async hearsNothingOf(name, seconds = 3) {
    let start = await this.tile(name);
    await this.tileIs(name, `${seconds} s of silence`, (now) => {
      if (now.audioEnergy > start.audioEnergy + SILENCE) start = now;
      return now.audioSeconds > start.audioSeconds + seconds;
    });
  }

  ownTracks() {
    return this.page.evaluate(ownTracks);
  }

  async liveTracks() {
    return (await this.ownTracks()).filter(({ readyState }) => readyState === "live");
  }

  sentTracks() {
    return this.page.evaluate(sentTracks);
  }

  connectionStates() {
    return this.page.evaluate(connectionStates);
  }

  /** Writes down from now on whatever happens to the others' tiles and connections. */
  record() {
    return this.page.evaluate(record);
  }

  /** The call has gone on since `record()` as if nothing had happened: nobody in the grid or on the line was replaced. */
  async noticedNothing() {
    const { longestStillMs, frames, ...changes } = await this.page.evaluate(recorded);
    assert.deepEqual(changes, { tiles: [], notices: [], connections: [], states: [], elements: [] }, `${this.name} noticed something`);
    assert.ok(frames.length > 0 && frames.every((count) => count > 10), `${this.name}'s pictures moved: ${frames}`);
    assert.ok(longestStillMs < STILL_MS, `a picture of ${this.name}'s stood still for ${longestStillMs} ms`);
  }

  /** No errors in the console, no request to anyone else. `expected` names complaints that belong to the test. */
  assertClean(expected) {
    const unexpected = this.complaints.filter((complaint) => !expected?.test(complaint));
    assert.deepEqual(unexpected, [], `${this.name}'s console`);
    assert.deepEqual(this.strayRequests, [], `${this.name}'s requests outside of the page's server`);
  }
}

export { PATIENCE_MS };
