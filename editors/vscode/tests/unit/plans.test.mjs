import assert from "node:assert/strict";
import test from "node:test";

import { argumentsFor, hasVariable, runnables, taskName, value } from "../../source/plans.mjs";

/** A symbol as the language server gives it: only its place and what it holds count. */
const symbol = (line, character = 0, children = []) => ({
  range: { start: { line, character } },
  children,
});
const find = (lines, symbols) => runnables(symbols, (line) => lines[line] ?? "");

test("a plan and its top-level steps can be run, others cannot", () => {
  const lines = [
    'TASK "All" {',
    '    SETUP "s" {',
    '    STEP "One" {',
    '        STEP "Inner" {',
    "    STEP 'Two' {",
    '    DEFINE_TASK "t" {',
    '        STEP "In a task" {',
  ];
  const inside = [
    symbol(1, 4),
    symbol(2, 4, [symbol(3, 8)]),
    symbol(4, 4),
    symbol(5, 4, [symbol(6, 8)]),
  ];
  assert.deepEqual(find(lines, [symbol(0, 0, inside)]), [
    { line: 0 },
    { line: 2, step: "One" },
    { line: 4, step: "Two" },
  ]);
});

test("a fragment has steps without a plan", () => {
  assert.deepEqual(find(['STEP "a" { }', 'STEP"b"{ }'], [symbol(0), symbol(1)]), [
    { line: 0, step: "a" },
    { line: 1, step: "b" },
  ]);
});

test("what stands in heredocs is not looked at: the language server decides", () => {
  assert.deepEqual(find(["VAR x = <<T", 'STEP "no" {', "T"], []), []);
});

test("symbols of an older text lead nowhere", () => {
  assert.deepEqual(find(["", "  # STEP"], [symbol(0), symbol(1, 2), symbol(9)]), []);
});

test("descriptions are read as the language does", () => {
  assert.equal(value(String.raw`"a \"b\" \\ \n\t\r \{{x}} 'c'"`), "a \"b\" \\ \n\t\r {{x}} 'c'");
  assert.equal(value(String.raw`'raw \n "x"'`), 'raw \\n "x"');
  assert.equal(value('""'), "");
  for (const unknown of ["\\d", "\\😀", "\\constructor", "\\'"]) {
    assert.equal(value(`"${unknown}"`), undefined);
  }
  assert.deepEqual(find(['STEP "\\d" {'], [symbol(0)]), []);
});

test("arguments are entries, never a line for a shell", () => {
  const file = "my plan.tiss";
  assert.deepEqual(argumentsFor({ file }), ["run", file]);
  assert.deepEqual(argumentsFor({ file, dryRun: true }), ["run", "--dry-run", file]);
  assert.deepEqual(argumentsFor({ file, check: true }, ["--yes"]), ["check", file]);
  const step = `--dry; rm "$HOME" 'x'\n`;
  assert.deepEqual(argumentsFor({ file, step }, ["--var", "a=b c"]), [
    "run",
    `--step=${step}`,
    "--var",
    "a=b c",
    file,
  ]);
  assert.deepEqual(argumentsFor({ file, step: "" }), ["run", "--step=", file]);
  assert.deepEqual(argumentsFor({ file: "--yes" }), ["run", "./--yes"]);
});

test("a task is called by what it does", () => {
  assert.equal(taskName({ file: "a.tiss" }), "run a.tiss");
  assert.equal(taskName({ file: "a.tiss", dryRun: true, step: "One" }), "dry run a.tiss · One");
  assert.equal(taskName({ file: "a.tiss", check: true }), "check a.tiss");
});

test("nothing is started whose text the editor would replace", () => {
  assert.ok(hasVariable("a", undefined, "${command:x}"));
  assert.ok(!hasVariable("a", undefined, "$HOME {x}"));
  assert.deepEqual(find(['STEP "${command:x}" {'], [symbol(0)]), []);
});
