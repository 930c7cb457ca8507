/** Tokens of a text as VS Code makes them: the same engine, the same regular expressions. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const GRAMMAR = file("../syntaxes/tiss.tmLanguage.json");
const STAND_IN = file("languages/python.tmLanguage.json");

/**
 * Our grammar, ready to tokenise. `paths` names files of other grammars by their scope. Every other
 * language has a stand-in of ours, so that the rule for its heredocs is in force.
 *
 * @param {Record<string, string>} paths
 */
export async function loadGrammar(paths = {}) {
  const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length));
  const read = (path) => textmate.parseRawGrammar(readFileSync(path, "utf8"), path);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      if (scope === "source.tiss") return read(GRAMMAR);
      return paths[scope] ? read(paths[scope]) : { ...read(STAND_IN), scopeName: scope };
    },
  });
  return registry.loadGrammar("source.tiss");
}

/**
 * The tokens of each line: `{ start, end, scopes }`, in UTF-16 units from 0.
 *
 * @param {import("vscode-textmate").IGrammar} grammar
 * @param {string} text
 */
export function tokenizeText(grammar, text) {
  let state = textmate.INITIAL;
  return text.split("\n").map((line) => {
    const found = grammar.tokenizeLine(line, state);
    state = found.ruleStack;
    return found.tokens.map((token) => ({
      start: token.startIndex,
      end: Math.min(token.endIndex, line.length), // the engine adds a line end
      scopes: token.scopes,
    }));
  });
}
