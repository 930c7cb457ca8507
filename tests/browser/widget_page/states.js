/** States of the widget, one for each picture that is worth looking at. */

const SCRIPT = `#TISS! Language=Python

TASK "Create and check a greeting script"

STEP "Write it" {
    # who is greeted
    VAR who = "Ada O'Neil\\n"
    WRITE "hello.py" <<PYTHON
import sys
print(f"Hello, {sys.argv[1]}!")  # {{who}}
PYTHON
}

STEP "Run it" {
    @timeout 30s
    RUN "python3 hello.py {{who|trim}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
    IF LAST_RUN.STDOUT CONTAINS "Hello" {
        LOG "greeted"
    }
}
`;

const idle = {
  script: SCRIPT,
  script_version: 1,
  root_label: "lessons/plans",
  height: 300,
  problems: [],
  problems_version: 1,
  status: "idle",
  mode: "",
  headline: "",
  error: null,
  steps: [],
  selected: null,
  output: null,
  question: null,
  plan: [],
  plan_text: "",
  changes: [],
  changes_note: "",
};

const problem = (line, column, end_line, end_column, severity, code, message, hint = null) => ({
  ...{ line, column, end_line, end_column, severity, code, message, hint },
});

const step = (id, parent, title, state, seconds = null, more = {}) => ({
  ...{ id, parent, title, kind: "STEP", line: 5, state, seconds, branch: null, attempt: 1 },
  ...more,
});

const command = (word, summary, status, more = {}) => ({
  ...{ type: "command", word, summary, line: 8, status, exit_code: null, seconds: 0.02 },
  ...{ stdout: "", stderr: "", clipped: false, bytes: null },
  ...more,
});

const RUN_ENTRIES = [
  command("RUN", 'RUN "python3 hello.py \'Ada\'"', "ok", {
    ...{ exit_code: 0, seconds: 0.21, stdout: "Hello, Ada!\n" },
  }),
  ...[{ type: "assert", line: 16, source: "LAST_RUN.EXIT_CODE == 0", passed: true }].map((entry) => ({
    ...entry,
    ...{ left: "0", right: "0" },
  })),
  { type: "log", line: 18, message: "greeted" },
];

const FAILED_ENTRIES = [
  command("RUN", 'RUN "pytest -q"', "ok", {
    exit_code: 1,
    seconds: 3.4,
    stdout: Array.from({ length: 40 }, (_, number) => `test_${number} FAILED`).join("\n") + "\n",
    stderr: "Traceback (most recent call last):\n  File \"hello.py\", line 2\nIndexError\n",
    clipped: true,
  }),
  {
    ...{ type: "assert", line: 16, source: "LAST_RUN.EXIT_CODE == 0", passed: false },
    ...{ left: "1", right: "0" },
  },
];

const DIFF = `--- a/hello.py
+++ b/hello.py
@@ -1,3 +1,3 @@
 import sys
-print("Hello")
+print(f"Hello, {sys.argv[1]}!")
 # the end
`;

const row = (depth, line, type, summary, status, more = {}) => ({
  ...{ depth, line, type, summary, status, conditional: false, approval: false, remarks: "" },
  ...more,
});

export const STATES = {
  idle,
  problems: {
    problems: [
      problem(7, 15, 7, 27, "warning", "T203", "the variable who is never read"),
      problem(15, 6, 15, 13, "info", "T214", "old spelling", "tiss fmt writes the new one"),
      problem(16, 12, 16, 37, "error", "T001", "unexpected token", "did you mean the other?"),
      problem(18, 22, 18, 22, "error", "T003", "string is not closed", 'close it with "'),
    ],
  },
  running: {
    ...{ status: "running", mode: "run", headline: "step 2 of 3: Run it", selected: "b" },
    steps: [
      step("a", null, "Write it", "passed", 0.04),
      step("b", null, "Run it", "running"),
      step("b1", "b", "In the first branch, with a long description that has to be wrapped", "running", null, {
        branch: 1,
      }),
      step("b2", "b", "In the second branch", "failed", 1.25, { branch: 2, attempt: 2 }),
      step("c", null, "Clean up", "waiting"),
      step("d", null, "Only by choice", "skipped"),
    ],
    output: { id: "b", entries: [command("RUN", 'RUN "make test"', "running", { seconds: null })], left_out: 0 },
  },
  question: {
    ...{ status: "running", mode: "run", headline: "the plan asks a person", selected: "b" },
    steps: [step("a", null, "Write it", "passed", 0.04), step("b", null, "Publish it", "running")],
    question: {
      ...{ id: "q1", kind: "approve", line: 12, step: "b", options: [] },
      message: 'RUN "sudo make install" needs approval\nIt would install below /usr/local.',
    },
  },
  choose: {
    ...{ status: "running", mode: "run", headline: "the plan asks a person" },
    question: {
      ...{ id: "q2", kind: "choose", line: 12, step: null, message: "Which way?" },
      options: ["Rewrite the module", "Mend the test"],
    },
  },
  passed: {
    ...{ status: "passed", mode: "run", headline: "2 of 2 steps in 0.3 s", selected: "b" },
    steps: [step("a", null, "Write it", "passed", 0.04), step("b", null, "Run it", "passed", 0.22)],
    output: { id: "b", entries: RUN_ENTRIES, left_out: 0 },
  },
  failed: {
    ...{ status: "failed", mode: "run", headline: "1 of 2 steps; the step “Run it” failed", selected: "b" },
    steps: [step("a", null, "Write it", "passed", 0.04), step("b", null, "Run it", "failed", 3.42)],
    output: { id: "b", entries: FAILED_ENTRIES, left_out: 3 },
    error: {
      ...{ code: "E101", message: "expected LAST_RUN.EXIT_CODE == 0, but it was 1", line: 16, column: 5, hint: null },
      explanation: `error[E101]: expected LAST_RUN.EXIT_CODE == 0, but it was 1
  --> <widget>:16:5
    |
 16 |     ASSERT LAST_RUN.EXIT_CODE == 0
    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^`,
    },
  },
  dryRun: {
    ...{ status: "passed", mode: "dry_run", headline: "5 commands; 1 needs approval" },
    plan: [
      row(0, null, "STEP", "Write it", ""),
      row(1, 8, "WRITE", 'WRITE "hello.py"', "would_run", { remarks: "new file, 2 lines, 48 bytes" }),
      row(0, null, "STEP", "Run it", ""),
      row(1, 16, "RUN", "RUN \"python3 hello.py 'Ada'\"", "would_run"),
      row(1, 17, "ASSERT", "ASSERT LAST_RUN.EXIT_CODE == 0", "unknown"),
      row(1, null, "IF", "if LAST_RUN.STDOUT CONTAINS \"Hello\"", ""),
      row(2, 19, "RUN", 'RUN "sudo make install"', "would_run", { conditional: true, approval: true }),
      row(2, 20, "READ", 'READ "none.txt"', "would_fail", { remarks: "there is no such file" }),
    ],
    plan_text: '  Write it\n8     WRITE "hello.py"  new file\n  Run it\n16     RUN "python3 hello.py"\n\nwrites: hello.py',
  },
  changes: {
    ...{ status: "passed", mode: "run", headline: "2 of 2 steps in 0.3 s" },
    changes: [
      { path: "hello.py", kind: "changed", diff: DIFF, binary: false, clipped: false },
      { path: "notes/new.txt", kind: "new", diff: "--- /dev/null\n+++ b/notes/new.txt\n@@ -0,0 +1 @@\n+one\n", binary: false, clipped: true },
      { path: "old.bin", kind: "deleted", diff: "", binary: true, clipped: false },
    ],
    changes_note: "not looked at: .venv, node_modules",
  },
};
