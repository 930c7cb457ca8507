/**
 * Runs the grammar's tests: `grammar.mjs assertions` and `grammar.mjs snapshots`, with further
 * options of vscode-tmgrammar-test behind. Languages of heredocs get a stand-in of ours.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TOOLS = {
  assertions: { program: "unit.js", files: "tests/grammar/*.tiss" },
  snapshots: { program: "snapshot.js", files: "tests/plans/*.tiss" },
};

const [what, ...options] = process.argv.slice(2);
const { program, files } = TOOLS[what];
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const standIn = read("tests/languages/python.tmLanguage.json");
const grammar = readFileSync("syntaxes/tiss.tmLanguage.json", "utf8");
const scopes = new Set([...grammar.matchAll(/"include": "([^#"]+)"/g)].map((match) => match[1]));
scopes.delete("source.tiss");

const folder = mkdtempSync(join(tmpdir(), "tiss-grammars-"));
const flags = [...scopes].flatMap((scopeName) => {
  const file = join(folder, `${scopeName}.json`);
  writeFileSync(file, JSON.stringify({ ...standIn, scopeName }));
  return ["--grammar", file];
});
const tool = createRequire(import.meta.url).resolve(`vscode-tmgrammar-test/dist/${program}`);
const { status } = spawnSync(process.execPath, [tool, ...flags, ...options, files], {
  stdio: ["ignore", "inherit", "inherit"],
  timeout: 120_000, // an assertion that the tool cannot read keeps it busy for ever
});
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;
