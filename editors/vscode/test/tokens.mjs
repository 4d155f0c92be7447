// Tokens of a text as VS Code finds them: its own engine over the grammar of this folder.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const GRAMMARS = {
  "source.atnas": new URL("../syntaxes/atnas.tmLanguage.json", import.meta.url),
  "markdown.atnas.codeblock": new URL("../syntaxes/markdown.tmLanguage.json", import.meta.url),
};

const wasm = await readFile(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm"));
await oniguruma.loadWASM(wasm);

const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => GRAMMARS[scope] && JSON.parse(await readFile(GRAMMARS[scope], "utf-8")),
});

/** Every token of a text, in order: `{ text, scopes }`, where scopes are those within the grammar's own. */
export async function tokens(text, scope = "source.atnas") {
  const grammar = await registry.loadGrammar(scope);
  const found = [];
  let state = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const { tokens: inLine, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of inLine) {
      found.push({ text: line.slice(startIndex, endIndex), scopes: scopes.slice(1) });
    }
  }
  return found;
}

/** `text: scope` for every token that has a scope, without the `.atnas` at its end. */
export async function scoped(text) {
  const found = (await tokens(text)).filter(({ scopes }) => scopes.length > 0);
  return found.map(({ text, scopes }) => `${text}: ${scopes.at(-1).replace(/\.atnas$/, "")}`);
}
