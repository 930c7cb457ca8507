/** The widget: it shows the state that Python keeps, and tells Python what a person does. */

const BUTTONS = {
  check: ["Check", "Look for mistakes; nothing runs"],
  dry_run: ["Dry run", "Show what would happen; nothing runs"],
  run: ["Run", "Run the plan (Ctrl+Enter)"],
  stop: ["Stop", "End the run"],
  format: ["Format", "Tidy the layout"],
};
const KEYS =
  "Tab indents; Escape, then Tab leaves the editor. " +
  "Ctrl+Space completes, Ctrl+/ comments, Ctrl+Enter runs.";
const GONE = "No kernel: run the cell again to use the buttons.";
const SILENT = "The kernel has not answered; it may be busy with another cell.";

/** anywidget calls this once for each model; a cell's output may be drawn anew, or twice. */
export default () => {
  const ui = {
    selection: [0, 0],
    scroll: [0, 0],
    request: 0,
    folds: new Map(),
    closed: new Set(),
    started: new Map(),
  };
  return { render: ({ model, el }) => renderWidget(model, el, ui) };
};

/** Draw a view of the model into `el`; what is returned takes it down. */
function renderWidget(model, el, ui) {
  const id = `tiss-${Math.random().toString(36).slice(2)}`;
  const get = (name) => model.get(name);
  // The view before this may have something that it has not written yet.
  ui.flush?.();
  ui.flush = flush;
  // The timer until what was typed goes to Python, and what to do then.
  let typing = null;
  let afterwards = null;
  // The timer until we say that the kernel is silent.
  let waiting = null;
  let notice = "";

  /** Write what was typed into the model. */
  function flush() {
    clearTimeout(typing);
    if (typing === null) return;
    typing = null;
    model.set("script_version", get("script_version") + 1);
    model.set("script", editor.area.value);
    model.save_changes();
    afterwards?.();
  }

  function edited(then) {
    clearTimeout(typing);
    afterwards = then;
    typing = setTimeout(flush, 150);
  }

  function send(message) {
    clearTimeout(waiting);
    waiting = setTimeout(tell, 5000, SILENT);
    try {
      model.send(message);
    } catch {
      tell(GONE);
    }
  }

  /** Messages carry the script: Jupyter may deliver a change of the state behind them. */
  function sendScript(message) {
    afterwards = null;
    flush();
    send({ ...message, script: editor.area.value, version: get("script_version") });
  }

  /** Something came from the kernel: it is there. */
  function hear() {
    clearTimeout(waiting);
    if ([GONE, SILENT].includes(notice)) tell("");
  }

  function tell(text) {
    if (text === GONE) clearTimeout(waiting);
    notice = text;
    drawStatus();
    drawSteps();
  }

  const isBusy = (state) => ["running", "stopping"].includes(state);
  /** A state as Python told it; but nothing runs without a kernel. */
  const now = (state) => (notice === GONE && isBusy(state) ? "interrupted" : state);

  function press(type) {
    if (buttons[type].ariaDisabled) return;
    if (type === "run" || type === "dry_run") {
      planPart.open = type === "dry_run";
      stepPart.open = type === "run";
    }
    // In the editor its own undo can take the new text back.
    if (type === "format") editor.area.focus();
    if (type === "stop") send({ type });
    else sendScript({ type });
  }

  // What one sees, from top to bottom.
  const buttons = {};
  for (const [type, [label, title]] of Object.entries(BUTTONS)) {
    buttons[type] = h(`button.button.${type}`, { title, onclick: () => press(type) }, label);
  }
  const place = h("span.place.muted");
  const editor = createEditor(
    ui,
    {
      edited,
      run: () => press("run"),
      complete: ({ request, line, column }) =>
        sendScript({ type: "complete", request, line, column }),
    },
    `${id}-keys`
  );
  const problemList = h("ul.problems", { "aria-label": "Problems" });
  const status = h("div.status", { role: "status" });
  const error = h("div");
  const question = h("div");
  const tree = createTree(ui, (step) => {
    model.set("selected", step);
    model.save_changes();
  });
  const output = textBox("Output");
  output.className = "";
  const stepPart = fold(ui, "steps", true, "Steps", h("div.columns", {}, tree.root, output));
  const heads = ["Line", "What", "Certain?"].map((text) => h("th", { scope: "col" }, text));
  const plan = h("tbody");
  const planText = textBox("Plan");
  const textPart = fold(ui, "text", false, "As text, for a reviewer", planText);
  const table = h("table", {}, h("tr", {}, ...heads), plan);
  const planPart = fold(ui, "plan", true, "Dry run", table, textPart);
  const changes = h("div");
  const note = h("div.muted");
  const changePart = fold(ui, "changes", true, "Changed files", changes, note);
  const root = h(
    "div.widget",
    { role: "group", "aria-label": "TissLang plan", onkeydown: keepKeys },
    h("div.bar", {}, ...Object.values(buttons), place),
    editor.root,
    h("div.keys.muted", { id: `${id}-keys` }, KEYS),
    ...[problemList, status, error, question, stepPart, planPart, changePart]
  );

  /** Keys are not for the notebook around, which has its own; but Ctrl+S still saves it. */
  function keepKeys(event) {
    const isSave = (event.ctrlKey || event.metaKey) && event.key === "s";
    root.toggleAttribute("data-lm-suppress-shortcuts", !isSave);
    if (!isSave) event.stopPropagation();
  }

  function drawStatus() {
    if (el.closest(".jupyter-widgets-disconnected")) notice = GONE;
    const state = now(get("status"));
    for (const [type, button] of Object.entries(buttons)) {
      const isOff = notice === GONE || (type === "stop" ? state !== "running" : isBusy(state));
      button.ariaDisabled = isOff || null;
    }
    place.textContent = get("root_label");
    const word = state === "idle" ? "ready" : state;
    // The headline of a picture begins with this word too.
    const told = get("headline").replace(RegExp(`^${word}[.:]? ?`, "i"), "");
    const texts = ` ${notice === GONE ? "" : told} ${notice}`;
    refill(status, [word + texts], () => h("div", {}, stateMark(state, word), texts));
  }

  function drawError() {
    refill(error, [get("error") || []].flat(), ({ explanation, message, hint, line, column }) => {
      const box = textBox("Error", explanation || `${message}\n${hint || ""}`);
      const onclick = () => editor.goTo(line, column || 1);
      const button = line ? h("button.button", { onclick }, `Go to line ${line}`) : "";
      return h("div.part", {}, box, button);
    });
  }

  function drawProblems() {
    if (get("problems_version") !== get("script_version") || typing !== null) return;
    editor.setProblems(get("problems"));
    refill(problemList, get("problems"), (problem) => problemItem(editor.goTo, problem));
  }

  function drawSteps() {
    const all = get("steps").map((step) => ({ ...step, state: now(step.state) }));
    const whole = { id: null, title: "Plan", state: now(get("status")), seconds: null };
    tree.draw(all.length ? [whole, ...all] : [], get("selected"));
    stepPart.hidden = !all.length && !get("output")?.entries.length;
  }

  function drawOutput() {
    const { id: step, entries, left_out: more } = get("output") || { entries: [] };
    const first = { type: "…", message: `${more} entries before these are left out` };
    refill(output, more ? [first, ...entries] : entries, (entry, index) =>
      outputEntry(ui, `${step} ${index + more}`, entry)
    );
  }

  function drawQuestion() {
    const old = document.activeElement;
    const wasHere = question.contains(old);
    refill(question, [get("question") || []].flat(), (asked) =>
      questionBox(id, asked, (text) => send({ type: "answer", id: asked.id, text }))
    );
    // A keyboard comes to what is asked, unless one is typing, and goes on in the steps.
    const next = (wasHere ? tree.root : question).querySelector('[tabindex="0"]');
    const isFree = wasHere ? !question.firstChild : root.contains(old) && old !== editor.area;
    if (isFree) next?.focus();
  }

  function drawPlan() {
    refill(plan, get("plan"), planRow);
    planPart.hidden = !get("plan").length;
    planText.textContent = get("plan_text");
    textPart.hidden = !get("plan_text");
  }

  function drawChanges() {
    const files = get("changes");
    refill(changes, files, (file) => changedFile(ui, file));
    note.textContent = get("changes_note");
    changePart.hidden = !files.length && !get("changes_note");
  }

  function onMessage({ type, request, items, text }) {
    hear();
    if (type === "completions") editor.setCompletions(request, items);
    if (type === "notice") tell(text);
  }

  const listeners = [];
  function listen(event, listener) {
    listeners.push([event, listener]);
    model.on(event, listener);
  }

  /** Draw now, and again when one of these traits changes. */
  function show(names, draw) {
    draw();
    for (const name of names.split(" ")) {
      // These are also changed here, which says nothing about the kernel.
      const isOurs = ["script", "selected"].includes(name);
      listen(`change:${name}`, () => (isOurs || hear(), draw()));
    }
  }

  el.append(root);
  show("script", () => typing === null && editor.setText(get("script")));
  show("height", () => (editor.area.style.height = `${get("height")}px`));
  show("problems problems_version", drawProblems);
  show("status headline root_label", drawStatus);
  show("error", drawError);
  show("question", drawQuestion);
  show("status steps selected output", drawSteps);
  show("output", drawOutput);
  show("plan plan_text", drawPlan);
  show("changes changes_note", drawChanges);
  // ipywidgets says this when a kernel restarts; what we hear later says that it is back.
  listen("comm_live_update", () => tell(GONE));
  listen("msg:custom", onMessage);
  const ticking = setInterval(tree.tick, 1000);
  return () => {
    flush();
    for (const [event, listener] of listeners) model.off(event, listener);
    clearInterval(ticking);
    clearTimeout(waiting);
    editor.dispose();
    root.remove();
  };
}
