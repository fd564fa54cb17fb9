// One service on several servers: who is at which of them makes no difference, nor does it when one of them dies or is
// replaced.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, hasShape, TWO_CAMERAS, WIDE_CAMERA } from "./harness/cameras.mjs";
import { reads, say } from "./harness/chat.mjs";
import { Stage } from "./harness/stage.mjs";
import { until } from "./harness/wait.mjs";

/** What a browser itself writes when a WebSocket ends, or can't be opened. */
const NO_SOCKET = /WebSocket|Failed to load resource/;
const RESUME_MS = 30_000;
const DRAIN_MS = 500;
/** After it a node that drains gives up those who haven't come to another. */
const HANDOVER_MS = 10_000;
const FLAGS = ["--resume-ms", String(RESUME_MS), "--heartbeat-ms", "5000", "--drain-ms", String(DRAIN_MS), "--handover-ms", String(HANDOVER_MS)];

const stage = Stage.set();

const namesBut = (people, one) => people.filter((person) => person !== one).map(({ name }) => name);

async function inCall(t, url, room, ...names) {
  const people = [];
  for (const name of names) people.push(await stage.open(t, name, { complaints: NO_SOCKET, camera: TWO_CAMERAS }));
  for (const person of people) await person.join(url, room);
  await seeEachOther(people);
  return people;
}

async function seeEachOther(people) {
  for (const person of people) await person.sees(...namesBut(people, person));
  for (const person of people) await person.watches(...namesBut(people, person));
}

/** The lobby, as the server says that a person's page came from. */
function lobby(person) {
  return person.page.evaluate(() => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/signal`, "noom.v1");
    socket.onerror = () => reject(new Error("no connection to the lobby"));
    socket.onopen = () => {
      for (const message of [{ type: "hello" }, { type: "lobby", watch: true }]) socket.send(JSON.stringify(message));
    };
    socket.onmessage = ({ data }) => {
      const { type, rooms } = JSON.parse(data);
      if (type !== "lobby") return;
      resolve(rooms);
      socket.close(1000);
    };
  }));
}

/** Which node a session began at: its secret ends with the node's name. */
const birthplace = ({ session }) => Buffer.from(session, "base64url").subarray(16).toString("hex");

/** The name of the node at this address. */
async function nodeAt(t, url) {
  const visitor = await stage.open(t, "Visitor");
  await visitor.goto(url);
  await lobby(visitor);
  return birthplace(visitor.hellos[0]);
}

/** A camera switch is agreed on through the servers, and reaches everyone. */
async function switchReaches(one, others) {
  for (const other of others) await other.tileIs(one.name, "the 4:3 picture of the first camera", (now) => hasShape(now, 4 / 3));
  await choose(one, "Camera", WIDE_CAMERA);
  for (const other of others) await other.tileIs(one.name, "the wide picture of the other camera", (now) => hasShape(now, 16 / 9));
  // Off and on again takes an offer and its answer.
  await one.press("Stop video");
  for (const other of others) await other.tileIs(one.name, "without picture", ({ shown }) => !shown);
  await one.press("Start video");
  for (const other of others) await other.watches(one.name);
}

test("two people at different nodes", async (t) => {
  const { nodes } = await stage.cluster(t, 2, { flags: FLAGS });
  const mina = await stage.open(t, "Mina");
  const jonas = await stage.open(t, "Jonas");
  await mina.join(nodes[0].url, "far");
  await jonas.join(nodes[1].url, "far");
  assert.notEqual(birthplace(mina.hellos[0]), birthplace(jonas.hellos[0]));
  await seeEachOther([mina, jonas]);
  await mina.hears("Jonas");
  await jonas.hears("Mina");

  await jonas.press("Mute");
  await mina.tileIs("Jonas", "muted", ({ label }) => label.includes("microphone off"));
  await mina.press("Chat");
  await say(mina, "Where are you?");
  await jonas.press("Chat, 1 unread");
  await say(jonas, "Elsewhere.");
  for (const person of [mina, jonas]) await reads(person, ["Mina", "Where are you?"], ["Jonas", "Elsewhere."]);
  for (const person of [mina, jonas]) assert.deepEqual(await lobby(person), [{ room: "far", peers: 2 }]);

  await jonas.leave();
  await mina.sees();
  for (const person of [mina, jonas]) assert.deepEqual(await lobby(person), [{ room: "far", peers: 1 }]);
});

test("a node is killed under a call of four", async (t) => {
  const cluster = await stage.cluster(t, 3, { flags: FLAGS, balanced: true });
  const people = await inCall(t, cluster.url, "killed", "Mina", "Jonas", "Ayşe", "Bảo");
  const ids = await Promise.all(people.map((person) => person.ids()));
  const names = await Promise.all(cluster.nodes.map(({ url }) => nodeAt(t, url)));
  const doomed = birthplace(people[0].hellos[0]);
  const hit = people.filter(({ hellos }) => birthplace(hellos[0]) === doomed);
  const spared = people.filter((person) => !hit.includes(person));
  assert.ok(spared.length > 0, "the load balancer spreads people over the nodes");
  for (const person of people) await person.record();

  const begin = Date.now();
  await cluster.kill(names.indexOf(doomed));
  for (const person of hit) {
    await until(`${person.name} is back`, () => person.hellos.length > 1, RESUME_MS);
    t.diagnostic(`${person.name} was back after ${Date.now() - begin} ms`);
    assert.deepEqual(person.hellos.map(({ resumed }) => resumed), ["new", "partial"]);
  }
  await seeEachOther(people);
  await switchReaches(people[0], people.slice(1));
  await switchReaches(spared[0], people.filter((person) => person !== spared[0]));
  for (const person of people) await person.noticedNothing();
  assert.deepEqual(await Promise.all(people.map((person) => person.ids())), ids, "everyone is who they were");
  for (const person of spared) assert.equal(person.hellos.length, 1, `${person.name} has nothing to come back from`);
});

test("all nodes are replaced, one after the other, under a call", async (t) => {
  const cluster = await stage.cluster(t, 3, { flags: FLAGS, balanced: true });
  const people = await inCall(t, cluster.url, "rolling", "Mina", "Jonas", "Ayşe");
  const ids = await Promise.all(people.map((person) => person.ids()));
  for (const person of people) await person.record();
  for (const index of cluster.nodes.keys()) {
    const begin = Date.now();
    await cluster.drain(index);
    const took = Date.now() - begin;
    t.diagnostic(`node ${index + 1} was gone after ${took} ms`);
    assert.ok(took < DRAIN_MS + HANDOVER_MS, `node ${index + 1} waited in vain: ${took} ms`);
    await cluster.begin(index);
  }
  await seeEachOther(people);
  await switchReaches(people[0], people.slice(1));
  for (const person of people) await person.noticedNothing();
  assert.deepEqual(await Promise.all(people.map((person) => person.ids())), ids, "everyone is who they were");
  const moves = people.map(({ hellos }) => hellos.slice(1).map(({ resumed }) => resumed));
  t.diagnostic(`moves: ${JSON.stringify(moves)}`);
  for (const each of moves) assert.ok(each.length > 0 && each.every((resumed) => resumed === "full"), `moved in full: ${each}`);
});
