/** Reads a JSON list of scripts; writes for each the tokens of each line: [start, end, scopes]. */

import { readFileSync } from "node:fs";

import { loadGrammar, tokenizeText } from "./textmate.mjs";

const grammar = await loadGrammar();
const texts = JSON.parse(readFileSync(0, "utf8"));
const found = texts.map((text) =>
  tokenizeText(grammar, text).map((line) =>
    line.map(({ start, end, scopes }) => [start, end, scopes.join(" ")]),
  ),
);
process.stdout.write(JSON.stringify(found));
