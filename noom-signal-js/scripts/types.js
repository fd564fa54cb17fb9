// Writes types/ from the JSDoc in src/. With --check, writes nothing and fails where types/ differs.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const committed = join(root, "types");
const check = process.argv.includes("--check");
const out = check ? mkdtempSync(join(tmpdir(), "noom-types-")) : committed;

if (!check) rmSync(committed, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", root, "--emitDeclarationOnly", "--outDir", out], {
  stdio: "inherit",
});
// tsc writes no declarations for declarations.
copyFileSync(join(root, "src/messages.d.ts"), join(out, "messages.d.ts"));

if (check) {
  const names = new Set([...readdirSync(out), ...readdirSync(committed)]);
  const stale = [...names].filter((name) => read(join(out, name)) !== read(join(committed, name)));
  rmSync(out, { recursive: true });
  if (stale.length > 0) {
    console.error(`types/ is out of date (${stale.join(", ")}): run "npm run types"`);
    process.exitCode = 1;
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (/** @type {any} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
}
