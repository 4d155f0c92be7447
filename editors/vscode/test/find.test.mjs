// Where the extension looks for the command, and what it makes of the answer.

import assert from "node:assert/strict";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";

async function source(name) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`../src/${name}.ts`, import.meta.url).pathname],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { candidates } = await source("find");
const { firstThatAnswers, sentence } = await source("command");
const nothing = { setting: "", folders: [], windows: false };

test("the chosen interpreter first, then the folder's environments, then PATH", () => {
  const found = candidates({ ...nothing, interpreter: "/envs/nas/bin/python", folders: ["/home"] });
  assert.deepEqual(found, [
    "/envs/nas/bin/atnas",
    "/home/.venv/bin/atnas",
    "/home/venv/bin/atnas",
    "/home/env/bin/atnas",
    "atnas",
  ]);
  assert.ok(candidates({ ...nothing, folders: ["/home"], windows: true }).includes("/home/.venv/Scripts/atnas.exe"));
});

test("a setting is the only place that is looked at", () => {
  const at = (setting) => candidates({ ...nothing, setting, folders: ["/home"], interpreter: "/usr/bin/python" });
  assert.deepEqual(at("/opt/atnas"), ["/opt/atnas"]);
  assert.deepEqual(at("~/nas/bin/atnas"), [join(homedir(), "nas/bin/atnas")]);
  assert.deepEqual(at("${workspaceFolder}/nas/bin/atnas"), ["/home/nas/bin/atnas"]);
  assert.deepEqual(at("nas/bin/atnas"), ["/home/nas/bin/atnas"]);
  assert.deepEqual(at("atnas"), ["atnas"]);
});

test("the first command that says its version is taken", { skip: process.platform === "win32" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "atnas-"));
  const script = async (name, line) => {
    await writeFile(join(folder, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(folder, name), 0o755);
    return join(folder, name);
  };
  const other = await script("other", "echo something else");
  const broken = await script("broken", "exit 3");
  const good = await script("good", 'echo "atnas, version 0.1.0"');
  const absent = join(folder, "absent");
  assert.deepEqual(await firstThatAnswers([absent, other, broken, good]), { path: good, version: "0.1.0" });
  assert.equal(await firstThatAnswers([absent, broken]), undefined);
});

test("the reason why a server did not start is its own last sentence", () => {
  assert.equal(sentence("warning\natnas: the language server needs pygls\n"), "the language server needs pygls");
  assert.equal(sentence("Traceback"), undefined);
});
