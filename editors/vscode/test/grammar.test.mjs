// What the grammar makes of the language, construct by construct, and of every file that we have.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { scoped, tokens } from "./tokens.mjs";

const ROOT = new URL("../../../", import.meta.url);

async function shows(text, ...expected) {
  const punctuation = /: (punctuation|keyword\.operator\.(arrow|assignment))/;
  assert.deepEqual((await scoped(text)).filter((token) => !punctuation.test(token)), expected);
}

test("a layer's keyword and name, calls, operators of the library", () =>
  shows(
    "op unit(c, k) = relu -> conv(c, k) -> mine(3) -> other",
    "op: storage.type",
    "unit: entity.name.function",
    "relu: support.function",
    "conv: support.function",
    "mine: entity.name.function",
    "3: constant.numeric",
    "other: entity.name.function",
  ));

test("ports and their sizes", () =>
  shows(
    "space net(C = 8) [image: (c, h, w)] -> logits: (way) {",
    "space: storage.type",
    "net: entity.name.type",
    "C: entity.other.attribute-name",
    "8: constant.numeric",
    "image: variable.parameter",
    "logits: variable.parameter",
  ));

test("an output without sizes is a port, not a layer", () =>
  shows("cell dag [a] -> y {", "cell: storage.type", "dag: entity.name.function", "y: variable.parameter"));

test("a layer of the user's own", () =>
  shows(
    'extern op f(c: int, k: int = 3) [x: (n, h)] -> (c, h) = "module:Class"',
    "extern: storage.modifier",
    "op: storage.type",
    "f: entity.name.function",
    "c: variable.parameter",
    "int: support.type",
    "k: variable.parameter",
    "int: support.type",
    "3: constant.numeric",
    "x: variable.parameter",
    '"module:Class": string.quoted.double',
  ));

test("what is used of other files and of the library", async () => {
  await shows('use "a b.atnas" (mb)', "use: keyword.control.import", '"a b.atnas": string.quoted.double');
  await shows("use std.spaces (conv_cells)", "use: keyword.control.import", "std.spaces: entity.name.namespace");
});

test("settings: words that are reserved elsewhere are keys before an equals sign", () =>
  shows(
    "experiment e { space = net  tasks = t  train = m  search = s }",
    "experiment: storage.type",
    "e: entity.name.type",
    "space: entity.other.attribute-name",
    "tasks: entity.other.attribute-name",
    "train: entity.other.attribute-name",
    "search: entity.other.attribute-name",
  ));

test("goals, constraints and draws", async () => {
  await shows(
    "maximize accuracy(tasks = 60) require k in [3] if a == skip and b <= 2",
    "maximize: keyword.control",
    "accuracy: entity.name.function",
    "tasks: entity.other.attribute-name",
    "60: constant.numeric",
    "require: keyword.control",
    "in: keyword.operator.expression",
    "3: constant.numeric",
    "if: keyword.control",
    "==: keyword.operator.comparison",
    "skip: support.function",
    "and: keyword.operator.expression",
    "<=: keyword.operator.comparison",
    "2: constant.numeric",
  );
  await shows(
    "shot ~ 1 | 5",
    "shot: entity.other.attribute-name",
    "~: keyword.operator.expression.draw",
    "1: constant.numeric",
    "|: keyword.operator.expression.choice",
    "5: constant.numeric",
  );
});

test("decisions: choices, ranges, subsets", () =>
  shows(
    "a | 8..32 step 8 * 1..2 of xs",
    "|: keyword.operator.expression.choice",
    "8: constant.numeric",
    "..: keyword.operator.expression.range",
    "32: constant.numeric",
    "step: keyword.operator.expression",
    "8: constant.numeric",
    "*: keyword.operator.arithmetic",
    "1: constant.numeric",
    "..: keyword.operator.expression.range",
    "2: constant.numeric",
    "of: keyword.operator.expression",
  ));

test("numbers and their units", async () => {
  for (const unit of ["k", "M", "G", "us", "ms", "s", "min", "h", "B", "kB", "MB", "GB", "TB", "%"]) {
    await shows(`1.5${unit}`, "1.5: constant.numeric", `${unit}: keyword.other.unit`);
  }
  await shows("3e-3", "3e-3: constant.numeric");
  await shows("10%3", "10: constant.numeric", "%: keyword.operator.arithmetic", "3: constant.numeric");
  await shows("5kg", "5: constant.numeric", "kg: invalid.illegal.unit");
  await shows("x2 + y3z", "+: keyword.operator.arithmetic");
});

test("comments and documentation", async () => {
  await shows("a # op b", "# op b: comment.line.number-sign");
  await shows("## op b", "## op b: comment.line.documentation");
  await shows('"# no comment"', '"# no comment": string.quoted.double');
});

test("what the language does not have is marked", async () => {
  await shows("'a'", "'a': invalid.illegal.string");
  await shows('"open', '"open: invalid.illegal.string');
  await shows("a; !b", ";: invalid.illegal", "!: invalid.illegal");
});

test("no bracket that is left open changes the colours of what follows", async () => {
  const after = "op unit(c) = conv(c, 3)";
  const alone = await scoped(after);
  for (const broken of ["op f(", "space s [x: (", "tasks t { a = f([", "use std.spaces (", 'x = "', "cell c [a] -> y {"]) {
    assert.deepEqual((await scoped(`${broken}\n${after}`)).slice(-alone.length), alone, broken);
  }
});

test("every reserved word of the grammar that is run is a keyword here", async () => {
  const lark = await readFile(new URL("grammars/atnas.lark", ROOT), "utf-8");
  const rules = lark.replace(/^\/\/.*$/gm, "");
  const words = [...new Set([...rules.matchAll(/"([a-z]+)"/g)].map((found) => found[1]))];
  assert.ok(words.length >= 20, words.join(" "));
  for (const word of words) {
    const [first] = await scoped(`${word} `);
    assert.match(first ?? "", new RegExp(`^${word}: (keyword|storage|constant)`));
  }
});

test("nothing in our own files is marked as wrong", async () => {
  for (const folder of ["examples/", "grammars/std/", "grammars/new/"]) {
    for (const name of await readdir(new URL(folder, ROOT))) {
      if (!name.endsWith(".atnas")) continue;
      const found = await tokens(await readFile(new URL(folder + name, ROOT), "utf-8"));
      const wrong = found.filter(({ scopes }) => scopes.some((scope) => scope.startsWith("invalid")));
      assert.deepEqual(wrong, [], folder + name);
    }
  }
});

test("a fenced block of Markdown is highlighted", async () => {
  const found = await tokens("```atnas\nop f = relu\n```\nop f", "markdown.atnas.codeblock");
  const keywords = found.filter(({ scopes }) => scopes.includes("storage.type.atnas"));
  assert.deepEqual(keywords.map(({ text }) => text), ["op"]);
});
