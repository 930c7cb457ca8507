/** What stands below the editor: problems, questions, steps, output, plan, changed files. */

/** How a state looks besides its word and its colour; what runs has a spinner instead. */
const STATE_SYMBOLS = {
  running: "",
  stopping: "",
  passed: "✓",
  ok: "✓",
  failed: "✗",
  error: "✗",
  skipped: "–",
  "not run": "–",
  interrupted: "■",
  unknown: "?",
};

/** A state as symbol, word and colour. */
function stateMark(state, word = state) {
  const symbol = h("span.symbol", HIDDEN, STATE_SYMBOLS[state] ?? "○");
  return h(`span.state.${state.replace(" ", "-")}`, {}, symbol, ` ${word}`);
}

/**
 * Make the children of `parent` show `items`. A child whose item is as before stays, and with it
 * focus, open folds and scrolling.
 */
function refill(parent, items, make) {
  items.forEach((item, index) => {
    const key = JSON.stringify(item);
    const old = parent.children[index];
    if (old?.tissKey === key) return;
    const fresh = make(item, index);
    fresh.tissKey = key;
    const hadFocus = old?.contains(document.activeElement);
    if (old) old.replaceWith(fresh);
    else parent.append(fresh);
    const isFree = fresh.hasAttribute("tabindex");
    if (hadFocus) (isFree ? fresh : fresh.querySelector("summary, button"))?.focus();
  });
  while (parent.children.length > items.length) parent.lastChild.remove();
}

/** A part that can be folded; whether it is open is kept in `ui`. */
function fold(ui, key, isOpen, summary, ...children) {
  const ontoggle = () => ui.folds.set(key, node.open);
  const node = h("details", { ontoggle }, h("summary", {}, summary), ...children);
  node.open = ui.folds.get(key) ?? isOpen;
  return node;
}

/** Text as it is, in a box of its own that one can scroll by keyboard. */
const textBox = (label, ...text) =>
  h("div.text", { tabindex: "0", role: "region", "aria-label": label }, ...text);

const muted = (text) => h("span.muted", {}, text);
const seconds = (value) => `${value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)} s`;

/** A problem of the plan, as a button that goes there. */
function problemItem(goTo, problem) {
  const { severity, line, column } = problem;
  const symbol = h(`span.${severity}`, HIDDEN, SEVERITIES[severity]);
  const place = muted(` ${line}:${column} `);
  const attributes = { onclick: () => goTo(line, column) };
  return h("li", {}, h("button.link", attributes, symbol, place, problemText(problem)));
}

/**
 * A question to a person. What the plan says stands in a box of its own, so that it cannot pass
 * for a part of the widget; the buttons wait a moment, so that a click meant for what stood there
 * before answers nothing.
 */
function questionBox(id, { kind, message, line, options }, answer) {
  // The place of an option: two may look alike.
  const choices = options.map((text, index) => [index + 1, `${index + 1}. ${text}`]);
  const consent = [["yes", "Approve"], ["no", "Refuse"]];
  const [heading, answers] = {
    pause: ["Go on?", [["continue", "Continue"], ["no", "Stop here"]]],
    choose: ["Which way?", choices],
  }[kind] || ["Do you approve?", consent];
  const buttons = answers.map(([, label]) => h("button.button", { onclick }, label));
  const setDisabled = (isOff) => buttons.forEach((one) => (one.ariaDisabled = isOff || null));
  function onclick() {
    if (this.ariaDisabled) return;
    setDisabled(true);
    answer(answers[buttons.indexOf(this)][0]);
  }
  setDisabled(true);
  setTimeout(setDisabled, 400, false);
  // Not all of them may be in sight.
  const count = message.split("\n").length;
  const length = count > 1 ? ` (${count} lines)` : "";
  const title = ` The plan asks${line ? ` in line ${line}` : ""}${length}:`;
  return h(
    "div.question",
    { role: "alertdialog", "aria-label": heading, "aria-describedby": id },
    h("div", { id }, h("strong", {}, heading), title, textBox("What the plan says", message)),
    h("div.bar", {}, ...buttons)
  );
}

/** The steps as a tree with the usual keys; `select(id)` is called as one moves in it. */
function createTree(ui, select) {
  const root = h("div.tree", { role: "tree", "aria-label": "Steps" });
  let steps = [];
  // Those in sight: {step, level, isOpen}, where isOpen is null without children.
  let rows = [];
  let selected = null;

  function draw() {
    const levels = new Map();
    const parents = new Set(steps.map((step) => step.parent));
    // Steps whose children are not in sight.
    const hidden = new Set();
    rows = [];
    for (const step of steps) {
      const level = (levels.get(step.parent) || 0) + 1;
      levels.set(step.id, level);
      const isClosed = ui.closed.has(step.id);
      if (isClosed || hidden.has(step.parent)) hidden.add(step.id);
      const isOpen = parents.has(step.id) ? !isClosed : null;
      if (!hidden.has(step.parent)) rows.push({ step, level, isOpen });
    }
    // One row is reached by Tab: the selected one, or else the first.
    const at = Math.max(0, rows.findIndex(({ step }) => step.id === selected));
    refill(root, rows.map((row, index) => [row, row.step.id === selected, index === at]), item);
    tick();
  }

  function item([{ step, level, isOpen }, isSelected, hasTab]) {
    let notes = step.branch ? ` branch ${step.branch}` : "";
    if (step.attempt > 1) notes += ` attempt ${step.attempt}`;
    const sign = isOpen === null ? "" : isOpen ? "▾" : "▸";
    const twist = h("span.twist", HIDDEN, sign);
    const attributes = {
      role: "treeitem",
      "aria-level": level,
      "aria-selected": `${isSelected}`,
      "aria-expanded": isOpen === null ? null : `${isOpen}`,
      tabindex: hasTab ? 0 : -1,
      style: `--level: ${level}`,
      onclick: ({ target }) => (target === twist ? turn(step, !isOpen) : choose(step)),
    };
    const title = h("span.title", {}, step.title || step.kind.toLowerCase(), muted(notes));
    return h("div.row", attributes, twist, title, stateMark(step.state), h("span.seconds.muted"));
  }

  /** Write how long each step took, or has been running. */
  function tick() {
    rows.forEach(({ step }, index) => {
      const key = `${step.id} ${step.attempt}`;
      const isRunning = step.state === "running";
      if (!isRunning) ui.started.delete(key);
      else if (!ui.started.has(key)) ui.started.set(key, Date.now());
      let text = step.seconds === null ? "" : seconds(step.seconds);
      if (isRunning) text = `${Math.floor((Date.now() - ui.started.get(key)) / 1000)} s`;
      const node = root.children[index].lastChild;
      if (node.textContent !== text) node.textContent = text;
    });
  }

  function turn(step, isOpen) {
    ui.closed[isOpen ? "delete" : "add"](step.id);
    draw();
  }

  function choose(step) {
    if (!step) return;
    select(step.id);
    root.children[rows.findIndex((row) => row.step.id === step.id)].focus();
  }

  root.onkeydown = (event) => {
    const at = rows.findIndex((_, index) => root.children[index] === document.activeElement);
    if (at < 0) return;
    const { step, isOpen } = rows[at];
    const { key } = event;
    if (key === "ArrowRight" && isOpen === false) turn(step, true);
    else if (key === "ArrowLeft" && isOpen) turn(step, false);
    else if (key === "ArrowLeft") choose(steps.find(({ id }) => id === step.parent));
    else if (key === "ArrowDown" || (key === "ArrowRight" && isOpen)) choose(rows[at + 1]?.step);
    else if (key === "ArrowUp") choose(rows[at - 1]?.step);
    else if (key === "Home") choose(rows[0].step);
    else if (key === "End") choose(rows.at(-1).step);
    else if (key === "Enter" || key === " ") choose(step);
    else return;
    event.preventDefault();
  };

  return {
    root,
    tick,
    draw(someSteps, id) {
      [steps, selected] = [someSteps, id];
      draw();
      const node = root.querySelector('[aria-selected="true"]');
      if (!node || root.contains(document.activeElement)) return;
      // Follow what happens; scrollIntoView would move the page too.
      const half = root.clientHeight / 2;
      const middle = node.offsetTop - root.offsetTop - half;
      if (Math.abs(middle - root.scrollTop) > half - node.offsetHeight) root.scrollTop = middle;
    },
  };
}

/** What is said of an entry besides its text; other fields stand with their names. */
const NOTES = {
  exit_code: (code) => `exit code ${code}`,
  seconds,
  bytes: (count) => `${count} bytes`,
  clipped: () => "cut",
  line: (line) => `line ${line}`,
};

/** One entry of the output of a step: a state, what it is about, notes, and what was printed. */
function outputEntry(ui, key, entry) {
  const { type, word, status, passed, summary, source, message, stdout, stderr, ...more } = entry;
  const notes = Object.entries(more)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) => NOTES[name]?.(value) ?? `${name}: ${value}`);
  let mark = muted(type);
  // A command that ended with another exit code than 0 is no error: a plan decides what it means.
  const ended = status === "ok" && more.exit_code ? "ended" : status;
  if (type === "command") mark = stateMark(ended);
  const found = passed ? ["passed", "holds"] : ["failed", "does not hold"];
  if (type === "assert") mark = stateMark(...found);
  const what = h("span.mono", {}, ` ${summary ?? source ?? message ?? ""} `);
  const node = h("div.entry", {}, mark, what, muted(notes.join(", ")));
  for (const [name, text] of Object.entries({ stdout, stderr })) {
    if (!text) continue;
    const count = text.replace(/\n$/, "").split("\n").length;
    const isOpen = count <= 12 || status === "error";
    const label = `${name}, ${count} line${count > 1 ? "s" : ""}`;
    node.append(fold(ui, `${key} ${name}`, isOpen, label, textBox(name, text)));
  }
  return node;
}

/** What the status in a dry run means to a person. */
const CERTAINTY = {
  would_run: ["waiting", "will run"],
  would_pass: ["passed", "holds"],
  would_fail: ["failed", "would fail"],
  unknown: ["unknown", "not known"],
};

/** A row of the plan of a dry run; without a status it is the heading of a step or a way. */
function planRow({ depth, line, summary, status, conditional, approval, remarks }) {
  const what = h("td", { style: `--level: ${depth}` }, h("span.mono", {}, summary));
  if (remarks) what.append(h("div.muted", {}, remarks));
  const certain = h("td");
  if (status) certain.append(stateMark(...CERTAINTY[status]), conditional ? ", in some cases" : "");
  if (approval) certain.append(h("div.warning", {}, "! needs approval"));
  return h(`tr.${status ? "" : "heading"}`, {}, h("td.muted", {}, `${line ?? ""}`), what, certain);
}

/** A changed file: what happened to it, and its lines as a diff. */
function changedFile(ui, { path, kind, diff, binary, clipped }) {
  const rows = diff.replace(/\n$/, "").split("\n").map((line, index) => {
    const change = { "+": "passed", "-": "failed", "@": "muted" }[line[0]];
    return h(`div.${(index < 2 ? "muted" : change) || ""}`, {}, line);
  });
  const remark = binary ? "not a text" : clipped ? "… cut" : diff ? "" : "empty";
  if (remark) rows.push(h("div.muted", {}, remark));
  return fold(ui, `file ${path}`, true, `${kind} ${path}`, textBox(`changes of ${path}`, ...rows));
}
