/** The regular expressions of language-configuration.json, which JavaScript reads. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const language = JSON.parse(
  readFileSync(new URL("../../language-configuration.json", import.meta.url)),
);

test("a line that opens a block is followed by an indent", () => {
  const opens = new RegExp(language.indentationRules.increaseIndentPattern);
  for (const line of ['STEP "a" {', "} ELSE {", "TRY {  # note", '  IF x == "}" {', "PARALLEL{"]) {
    assert.ok(opens.test(line), line);
  }
  for (const line of [
    'LOG "{"',
    "LOG '{'",
    "# STEP {",
    "}",
    'STEP "a" { }',
    'LOG "a" # {',
    'LOG "\\"{"',
  ]) {
    assert.ok(!opens.test(line), line);
  }
});

test("a closing brace goes back", () => {
  const closes = new RegExp(language.indentationRules.decreaseIndentPattern);
  assert.ok(closes.test("    }") && closes.test("} ELSE {") && !closes.test('LOG "}"'));
});

test("a long line of code does not keep the editor busy", () => {
  const opens = new RegExp(language.indentationRules.increaseIndentPattern);
  assert.ok(!opens.test(`LOG ${'"{" '.repeat(20_000)}`));
  assert.ok(!opens.test(`${"{".repeat(20_000)}"`));
});

test("words are names, numbers and durations", () => {
  const { pattern, flags } = language.wordPattern;
  const wordsOf = (text) => text.match(new RegExp(pattern, `g${flags}`));
  assert.deepEqual(wordsOf("SET_BUDGET x1 = -12.5 5m {{né|trim}} 日本"), [
    ...["SET_BUDGET", "x1", "-12.5", "5m", "né", "trim", "日本"],
  ]);
  assert.deepEqual(wordsOf("@timeout LAST_RUN.STDOUT"), ["timeout", "LAST_RUN", "STDOUT"]);
});

test("the first line tells a plan, whatever the file is called", () => {
  const { contributes } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url)));
  const first = new RegExp(contributes.languages[0].firstLine);
  assert.ok(first.test("#TISS! Language=Python") && first.test("#!/usr/bin/env -S tiss run"));
  assert.ok(!first.test("#!/usr/bin/env python3") && !first.test("TASK"));
});
