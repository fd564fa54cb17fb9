import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const tsc = path("node_modules/typescript/bin/tsc");
const run = (...args) => spawnSync(process.execPath, args, { encoding: "utf8" });

test("the committed types are those of the sources", { skip: !existsSync(tsc) && "needs npm ci" }, () => {
  const { status, stdout, stderr } = run(path("scripts/types.js"), "--check");
  assert.equal(status, 0, stdout + stderr);
});

test("they are of use to a program in TypeScript", { skip: !existsSync(tsc) && "needs npm ci" }, () => {
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "ES2022", "--module", "NodeNext", "--types", ""];
  const { status, stdout, stderr } = run(tsc, ...options, path("test/types/use.ts"));
  assert.equal(status, 0, stdout + stderr);
});
