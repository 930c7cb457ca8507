/**
 * The editor: a text area whose own text is invisible, over a layer with the same text in colours.
 *
 * So caret, selection, undo, input methods and screen readers are the browser's own. Only lines in
 * sight are drawn, and only lines that changed are read anew: long plans stay fluent.
 */

const INDENT = "    ";
const SEVERITIES = { error: "✖", warning: "▲", info: "●" };
/** For what is only seen: screen readers have it in words. */
const HIDDEN = { "aria-hidden": "true" };

/**
 * Make an element. Text enters the page as text only, never as HTML: a plan and what its commands
 * print are not to be trusted.
 *
 * @param {string} name the tag, and behind dots its classes without `tiss-`
 * @param {object} attributes by name; `onNAME` is a listener; null and false leave one out
 * @param {...(Node | string)} children
 */
function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  node.className = classes.map((word) => `tiss-${word}`).join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node[key] = value;
    else if (value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// Python counts code points from 1, JavaScript UTF-16 units from 0.
const toUnits = (text, column) => [...text].slice(0, column - 1).join("").length;

/** Is the state of a line, or behind it, in a heredoc? */
const isText = (state) => state?.place === "heredoc";

const problemText = ({ severity, code, message, hint }) =>
  `${severity} ${code}: ${message}${hint ? ` (${hint})` : ""}`;

/** From where, and until where in the new and in the old one, two lists differ. */
function difference(fresh, old) {
  const shorter = Math.min(fresh.length, old.length);
  let from = 0;
  while (from < shorter && fresh[from] === old[from]) from += 1;
  let same = 0;
  while (same < shorter - from && fresh.at(-1 - same) === old.at(-1 - same)) same += 1;
  return [from, fresh.length - same, old.length - same];
}

/**
 * @param {object} ui what is kept while the widget is drawn anew: `selection`, `scroll`, `request`
 * @param {object} actions `edited(then)`, `run()`, `complete({request, line, column})`
 * @param {string} helpId the id of the text that says how to leave the editor
 */
function createEditor(ui, actions, helpId) {
  const listId = `${helpId}-list`;
  // Suggestions without the role "combobox", which a text of many lines may not have.
  const area = h("textarea.area", {
    "aria-label": "Plan in TissLang",
    "aria-describedby": helpId,
    "aria-autocomplete": "list",
    placeholder: "Write a plan here.",
    "aria-controls": listId,
    autocapitalize: "off",
    spellcheck: "false",
    wrap: "off",
  });
  const layer = h("div.layer", HIDDEN);
  const gutter = h("div.gutter", HIDDEN);
  const list = h("div.popup", { role: "listbox", id: listId, "aria-label": "Suggestions" });
  const root = h("div.editor", {}, gutter, h("div.page", {}, layer, area), list);
  list.hidden = true;

  let lines = [];
  // Of each line what `tokenizeLine` was given (`before`) and gave.
  let coloured = [];
  let problems = [];
  // The text that comes in was not typed.
  let isAdopting = false;
  let isShown = false;
  // Escape was pressed: Tab leaves the editor.
  let mayLeave = false;
  // The latest question for suggestions with its `items`, those that go with what has been typed
  // since, and which one is chosen.
  let asked = null;
  let shown = [];
  let active = 0;

  const lineHeight = () => parseFloat(getComputedStyle(area).lineHeight);
  const worst = (some) =>
    Object.keys(SEVERITIES).find((name) => some.some((p) => p.severity === name)) || "none";

  /** Colour the lines that changed, and those behind that now begin in another state. */
  function readText() {
    const fresh = area.value.split("\n");
    const [from, until, oldUntil] = difference(fresh, lines);
    // Problems of other lines move along until Python has looked at the new text.
    const move = until - oldUntil;
    problems = problems
      .filter((p) => p.end_line <= from || p.line > oldUntil)
      .map((p) => (p.line > from ? { ...p, line: p.line + move, end_line: p.end_line + move } : p));
    coloured = coloured.slice(0, from).concat(Array(until - from), coloured.slice(oldUntil));
    lines = fresh;
    for (let index = from; index < lines.length; index += 1) {
      const before = index ? coloured[index - 1].state : null;
      const known = index >= until && JSON.stringify(coloured[index].before);
      if (known === JSON.stringify(before)) break;
      coloured[index] = { before, ...tokenizeLine(lines[index], before) };
    }
  }

  /** Draw the lines in sight, if the editor is on the page. */
  function draw() {
    if (!area.clientHeight) return;
    const height = lineHeight();
    const first = Math.floor(area.scrollTop / height);
    const last = Math.min(lines.length, first + Math.ceil(area.clientHeight / height) + 1);
    const top = first * height - area.scrollTop;
    const current = position().line;
    layer.replaceChildren();
    gutter.replaceChildren();
    for (let line = first + 1; line <= last; line += 1) {
      const here = problems.filter((p) => p.line <= line && line <= p.end_line);
      const severity = worst(here);
      const mark = h(`span.mark.${severity}`, {}, SEVERITIES[severity] || "");
      const number = h(`div.number.${line === current ? "current" : ""}`, {}, mark, `${line}`);
      number.tissProblems = here;
      gutter.append(number);
      layer.append(h("div.line", {}, ...pieces(line, here)));
    }
    layer.style.transform = `translate(${-area.scrollLeft}px, ${top}px)`;
    gutter.firstChild.style.marginTop = `${top}px`;
    gutter.style.width = `${`${lines.length}`.length + 3}ch`;
  }

  /** A line in pieces: it is cut where a colour or a problem begins or ends. */
  function pieces(number, here) {
    const text = lines[number - 1];
    const { spans } = coloured[number - 1];
    const marks = here.map((problem) => {
      const from = problem.line === number ? toUnits(text, problem.column) : 0;
      const to = problem.end_line === number ? toUnits(text, problem.end_column) : text.length;
      return [from, Math.max(to, from + 1), problem];
    });
    const cuts = [0, text.length, ...[...spans, ...marks].flatMap(([from, to]) => [from, to])];
    const places = [...new Set(cuts)].sort((a, b) => a - b);
    let next = 0;
    return places.slice(0, -1).map((from, index) => {
      while (spans[next]?.[1] <= from) next += 1;
      const kind = spans[next]?.[0] <= from ? `is-${spans[next][2]}` : "";
      const over = marks.filter(([start, end]) => start <= from && from < end);
      const found = over.map(([, , problem]) => problem);
      const piece = h(`span.${kind}`, {}, text.slice(from, places[index + 1]));
      if (found.length) piece.classList.add("tiss-problem", `tiss-by-${worst(found)}`);
      piece.tissProblems = found;
      return piece;
    });
  }

  /** Where the caret is, as Python counts, and what stands before it in its line. */
  function position() {
    const above = area.value.slice(0, area.selectionEnd).split("\n");
    const before = above.at(-1);
    return { line: above.length, column: [...before].length + 1, before };
  }

  /** What a line behind this one begins with. */
  function indentation(index, before) {
    const inText = isText(coloured[index].state);
    // The lines of a heredoc count as they stand; behind it goes on what was before it.
    if (inText && !isText(coloured[index].before) && !/<<-/.test(before)) return "";
    while (!inText && isText(coloured[index].before)) before = lines[(index -= 1)];
    return /^[ \t]*/.exec(before)[0] + (!inText && /\{\s*$/.test(before) ? INDENT : "");
  }

  /** Replace a part as if it were typed, so that the browser's own undo takes it back. */
  function replace(from, to, text) {
    area.focus();
    area.setSelectionRange(from, to);
    if (text.split("\n").length > 300) {
      // Browsers need seconds to insert so many lines in a way that can be undone.
      area.setRangeText(text, from, to, "end");
      area.oninput({});
    } else if (text) document.execCommand("insertText", false, text);
    else if (from < to) document.execCommand("delete");
  }

  /** Change the lines that the selection touches. */
  function editLines(change) {
    const { value, selectionStart: start, selectionEnd: end } = area;
    const from = value.slice(0, start).lastIndexOf("\n") + 1;
    const to = end + value.slice(end).split("\n")[0].length;
    const text = value.slice(from, to).split("\n").map(change).join("\n");
    replace(from, to, text);
    const caret = Math.max(from, from + text.length - to + start);
    area.setSelectionRange(...(start < end ? [from, from + text.length] : [caret, caret]));
  }

  /** What a key does in the editor; true when the browser is to do nothing more. */
  function onKey({ key, code, shiftKey, ctrlKey, metaKey, altKey }) {
    const { value, selectionStart: start, selectionEnd: end } = area;
    const withCtrl = ctrlKey || metaKey;
    if (!list.hidden && !withCtrl && onListKey(key)) return true;
    if (key === "Tab" && mayLeave) return false;
    mayLeave = key === "Escape" || (mayLeave && key === "Shift");
    const at = position().line - 1;
    const text = lines[at];
    const before = value.slice(0, start).split("\n").at(-1);
    const isCode = !isText(coloured[at].before);
    if (key === "Tab") {
      if (shiftKey) editLines((line) => line.replace(/^(\t| {1,4})/, ""));
      else if (value.slice(start, end).includes("\n")) editLines((line) => line && INDENT + line);
      else replace(start, end, INDENT);
    } else if (withCtrl && key === "Enter") actions.run();
    else if (withCtrl && key === "/") {
      const [old, fresh] = /^\s*#/.test(text) ? [/^(\s*)# ?/, "$1"] : [/^(\s*)(?=\S)/, "$1# "];
      editLines((line) => line.replace(old, fresh));
    } else if (ctrlKey && code === "Space") ask(true);
    else if (withCtrl || altKey) return false;
    else if (key === "Enter") {
      replace(start, end, `\n${indentation(at, before)}`);
    } else if (key === "}" && isCode && !before.trim() && before.endsWith(INDENT)) {
      replace(start - INDENT.length, end, "}");
    } else return key === "Escape";
    return true;
  }

  /** Ask Python for suggestions; `isWanted` when a person asks for them. */
  function ask(isWanted) {
    asked = { request: (ui.request += 1), ...position(), isWanted, items: [] };
    actions.complete(asked);
  }

  /** Show the suggestions that begin with what stands before the caret. */
  function suggest() {
    const { line, column } = position();
    const text = lines[line - 1];
    const typed = (item) => text.slice(toUnits(text, item.start_column), toUnits(text, column));
    shown = (asked?.line === line ? asked.items : []).filter(
      (item) =>
        item.start_column <= column &&
        item.label.toLowerCase().startsWith(typed(item).toLowerCase())
    );
    if (!asked?.isWanted && shown.some((item) => item.label === typed(item))) shown = [];
    const options = shown.map(({ label, detail, kind }, index) => {
      const attributes = { role: "option", id: `${listId}-${index}`, onclick: () => accept(index) };
      return h("div.option", attributes, label, muted(detail || kind));
    });
    list.replaceChildren(...options);
    list.hidden = !shown.length;
    setActive(0);
    if (list.hidden) return;
    const probe = h("span.probe", {}, text.slice(0, toUnits(text, shown[0].start_column)));
    layer.append(probe);
    const left = gutter.offsetWidth + probe.offsetWidth - area.scrollLeft;
    probe.remove();
    const below = line * lineHeight() - area.scrollTop + 6;
    const above = below - lineHeight() - list.offsetHeight - 4;
    const isLow = above > 0 && below + list.offsetHeight > root.offsetHeight;
    list.style.top = `${isLow ? above : below}px`;
    list.style.left = `${Math.max(0, Math.min(left, root.offsetWidth - list.offsetWidth))}px`;
  }

  function setActive(index) {
    active = (index + shown.length) % (shown.length || 1);
    [...list.children].forEach((node, at) => node.setAttribute("aria-selected", at === active));
    area.setAttribute("aria-activedescendant", list.hidden ? "" : `${listId}-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function accept(index) {
    const { insert, start_column, end_column, at } = shown[index];
    const { line, column } = position();
    const text = lines[line - 1];
    const start = area.selectionEnd - toUnits(text, column);
    // More may have been typed since.
    const end = end_column + column - at;
    closeList();
    replace(start + toUnits(text, start_column), start + toUnits(text, end), insert);
  }

  function closeList() {
    asked = null;
    suggest();
  }

  function onListKey(key) {
    if (key === "ArrowDown") setActive(active + 1);
    else if (key === "ArrowUp") setActive(active - 1);
    else if (key === "Enter" || key === "Tab") accept(active);
    else if (key === "Escape") closeList();
    else return false;
    return true;
  }

  function onCaret() {
    ui.selection = [area.selectionStart, area.selectionEnd];
    if (asked && asked.line !== position().line) closeList();
    draw();
  }

  area.onselect = area.onkeyup = area.onclick = onCaret;
  area.onkeydown = (event) => {
    if (!event.isComposing && onKey(event)) event.preventDefault();
  };
  area.oninput = ({ inputType }) => {
    readText();
    onCaret();
    if (isAdopting) return;
    // Behind one { and behind a text's end nobody looks for a word: there, Enter is a new line.
    const begins = /([\w.@|/]|\{\{|^([^"]*"[^"]*")*[^"]*")$/.test(position().before);
    actions.edited(inputType === "insertText" && begins ? () => ask(false) : null);
    suggest();
  };
  area.onscroll = () => {
    ui.scroll = [area.scrollTop, area.scrollLeft];
    if (asked) suggest();
    draw();
  };
  area.onblur = () => {
    mayLeave = false;
    closeList();
  };
  // The text area keeps the focus.
  list.onmousedown = (event) => event.preventDefault();
  root.onmousemove = ({ clientX, clientY }) => {
    const under = root.getRootNode().elementsFromPoint(clientX, clientY);
    const mark = under.find((node) => node.tissProblems?.length);
    area.title = gutter.title = (mark?.tissProblems || []).map(problemText).join("\n");
  };
  const resizes = new ResizeObserver(() => {
    // A text area that is off the page forgets how far it was scrolled.
    if (!isShown) [area.scrollTop, area.scrollLeft] = ui.scroll;
    isShown = area.clientHeight > 0;
    draw();
  });
  resizes.observe(area);

  function goTo(line, column) {
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const at = start + toUnits(lines[line - 1] || "", column);
    area.focus();
    area.setSelectionRange(at, at);
    area.scrollTop = (line - 0.5) * lineHeight() - area.clientHeight / 2;
    onCaret();
  }

  return {
    root,
    area,
    goTo,
    dispose: () => resizes.disconnect(),
    /** Take a text that was not typed here. */
    setText(text) {
      // As the text area itself does.
      const fresh = text.replace(/\r\n?/g, "\n");
      if (fresh === area.value && lines.length) return;
      isAdopting = true;
      if (document.activeElement === area) {
        const { line, column } = position();
        const [characters, old] = [[...fresh], [...area.value]];
        const [from, until, oldUntil] = difference(characters, old);
        const start = old.slice(0, from).join("").length;
        const end = start + old.slice(from, oldUntil).join("").length;
        replace(start, end, characters.slice(from, until).join(""));
        goTo(line, column);
      } else {
        area.value = fresh;
        readText();
        area.setSelectionRange(...ui.selection);
        draw();
      }
      isAdopting = false;
    },
    setProblems(some) {
      problems = some;
      draw();
    },
    /** The suggestions that were asked for; late ones are dropped. */
    setCompletions(request, items) {
      if (asked?.request !== request) return;
      asked.items = items.map((item) => ({ ...item, at: asked.column }));
      suggest();
    },
  };
}
