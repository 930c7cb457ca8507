// What `qt.viz.attention_view` shows: all heads small, one token's weights as text, one head large.
//
// Python gives `tokens` and `weights`, float32 of the shape (L, H, T, T). Both sides set `layer`,
// `head` and `token`, which is the query. The mouse over a token only shows it; a click or an arrow
// key chooses it.

const CIVIDIS = [
  [0, 34, 78], [8, 51, 112], [53, 69, 108], [79, 87, 108], [102, 105, 112], [125, 124, 120],
  [148, 142, 119], [174, 163, 113], [200, 184, 102], [229, 207, 82], [254, 232, 56],
];

/** A weight from 0 to 1 -> [red, green, blue], between two of the colours above. */
function colour(weight) {
  const place = Math.min(weight, 1) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return CIVIDIS[i].map((c, rgb) => c + (place - i) * (CIVIDIS[i + 1][rgb] - c));
}

/** A causal mask gives a later key exactly nothing: such a cell is left blank. */
const isBlank = (weight, query, key) => key > query && weight === 0;

/** Draw (T, T) weights, one pixel each; CSS makes it larger. */
function paint(canvas, map, n) {
  canvas.width = canvas.height = n;
  const context = canvas.getContext("2d");
  const image = context.createImageData(n, n);
  map.forEach((weight, i) => {
    if (!isBlank(weight, Math.floor(i / n), i % n)) image.data.set([...colour(weight), 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** A token for the eye, with its white space made visible, and one for the ear. */
const SIGNS = { " ": "␣", "\n": "↵", "\t": "⇥" };
const NAMES = { " ": "space", "\n": "line break", "\t": "tab" };
const visible = (token) => token.replace(/[ \n\t]/g, (space) => SIGNS[space]);
const spoken = (token) => NAMES[token] ?? `'${token}'`;
const quoted = (token) => `'${visible(token)}'`;

/** Where a query looks most, or, with the mouse over a key, how much it looks there. */
function sentence({ layer, head, query, key, row }, tokens, name) {
  const most = row.indexOf(Math.max(...row));
  const looks = key === undefined ? "looks most at" : "looks at";
  const at = key ?? most;
  const other = at === query ? "itself" : name(tokens[at]);
  const weight = row[at].toFixed(2);
  return `layer ${layer}, head ${head}: ${name(tokens[query])} ${looks} ${other} (${weight})`;
}

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const clamp = (value, count) => Math.max(0, Math.min(value, count - 1));

/** Buttons of which one is chosen. Tab enters at that one; `moves(key)` is what a key does. */
function radioGroup(name, label, buttons, moves) {
  const node = make("div", { class: name, role: "radiogroup", "aria-label": label });
  node.onkeydown = (event) => {
    const move = moves(event.key);
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    move();
    buttons.find((button) => button.tabIndex === 0).focus();
  };
  const check = (chosen) =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", i === chosen);
      button.tabIndex = i === chosen ? 0 : -1;
    });
  return { node, check };
}

/** All heads as small maps: a row for each layer. */
function headGrid({ layers, heads, n, mapOf, chosen, choose }) {
  const buttons = [];
  const step = (down, right) => () => {
    const { layer, head } = chosen();
    choose({ layer: clamp(layer + down, layers), head: clamp(head + right, heads) });
  };
  const moves = {
    ArrowUp: step(-1, 0), ArrowDown: step(1, 0), ArrowLeft: step(0, -1), ArrowRight: step(0, 1),
  };
  const { node, check } = radioGroup("heads", "layer and head", buttons, (key) => moves[key]);
  node.style.setProperty("--heads", heads);
  node.append(make("span", { class: "corner" }, "head"));
  for (let head = 0; head < heads; head++) node.append(make("span", {}, `${head}`));
  for (let layer = 0; layer < layers; layer++) {
    node.append(make("span", {}, `layer ${layer}`));
    for (let head = 0; head < heads; head++) {
      const label = `layer ${layer}, head ${head}`;
      const canvas = make("canvas");
      paint(canvas, mapOf(layer, head), n);
      const button = make("button", { role: "radio", "aria-label": label, title: label }, canvas);
      button.onclick = () => choose({ layer, head });
      buttons.push(button);
      node.append(button);
    }
  }
  return { node, show: ({ layer, head }) => check(layer * heads + head) };
}

/** The tokens as a text to choose the query in, each shaded by the weight that it gets. */
function tokenLine({ tokens, n, chosen, choose, hover }) {
  const to = (query) => () => choose({ token: clamp(query, n) });
  const moves = (key) => {
    const { token } = chosen();
    return {
      ArrowLeft: to(token - 1), ArrowUp: to(token - 1), Home: to(0),
      ArrowRight: to(token + 1), ArrowDown: to(token + 1), End: to(n - 1),
    }[key];
  };
  const buttons = tokens.map((token, i) => {
    const name = make("span", {}, visible(token));
    const button = make("button", { role: "radio" }, name, make("small"));
    button.onclick = to(i);
    button.onpointerenter = () => hover({ query: i });
    return button;
  });
  const { node, check } = radioGroup("tokens", "token that looks", buttons, moves);
  node.append(...buttons);
  node.onpointerleave = () => hover({});

  function show({ token, query, key, row }) {
    check(token);
    buttons.forEach((button, i) => {
      const blank = isBlank(row[i], query, i);
      const weight = row[i].toFixed(2);
      button.className = [i === query && "query", i === key && "key", blank && "blank"].join(" ");
      button.style.background = blank ? "" : `rgb(${colour(row[i])})`;
      button.style.color = blank ? "" : row[i] < 0.45 ? "white" : "black";
      button.lastChild.textContent = blank ? "\u00a0" : weight;
      const what = blank ? "not seen" : `weight ${weight}`;
      button.setAttribute("aria-label", `${spoken(tokens[i])}, token ${i}, ${what}`);
    });
  }
  return { node, show };
}

/** The chosen head, large: queries down, keys across. For the mouse; the line above has it all. */
function largeMap({ tokens, n, mapOf, choose, hover }) {
  const canvas = make("canvas");
  const frame = make("div", { class: "frame" });
  const cells = make("div", { class: "cells" }, canvas, frame);
  const labels = (name) =>
    make("div", { class: name }, ...tokens.map((token) => make("span", {}, visible(token))));
  const [queries, keys] = [labels("queries"), labels("keys")];
  const axis = (name, text) => make("span", { class: name }, text);
  const node = make(
    "div", { class: "large", role: "img" },
    axis("down", "query: looking"), queries, cells, keys, axis("across", "key: looked at"),
  );

  const under = (event) => {
    const box = cells.getBoundingClientRect();
    const query = clamp(Math.floor(((event.clientY - box.top) / box.height) * n), n);
    const key = Math.floor(((event.clientX - box.left) / box.width) * n);
    return key >= 0 && key < n ? { query, key } : { query };
  };
  for (const part of [queries, cells]) {
    part.onpointermove = (event) => hover(under(event));
    part.onpointerleave = () => hover({});
    part.onclick = (event) => choose({ token: under(event).query });
  }

  function show({ layer, head, query, key }) {
    const name = `heat map of layer ${layer}, head ${head}`;
    if (node.getAttribute("aria-label") !== name) paint(canvas, mapOf(layer, head), n);
    node.setAttribute("aria-label", name);
    node.style.setProperty("--query", query);
    [...queries.children].forEach((label, i) => label.classList.toggle("marked", i === query));
    [...keys.children].forEach((label, i) => label.classList.toggle("marked", i === key));
  }
  return { node, show };
}

function legend() {
  const bar = make("span", { class: "bar" });
  bar.style.background = `linear-gradient(to right, ${CIVIDIS.map((rgb) => `rgb(${rgb})`)})`;
  return make("p", { class: "legend" }, "attention weight: 0 ", bar, " 1");
}

function render({ model, el }) {
  const [layers, heads, n] = model.get("shape");
  const tokens = model.get("tokens");
  const title = model.get("title");
  const { buffer, byteOffset, byteLength } = model.get("weights");
  const weights = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const mapOf = (layer, head) => {
    const i = layer * heads + head;
    return weights.subarray(i * n * n, (i + 1) * n * n);
  };
  const chosen = () => ({
    layer: model.get("layer"), head: model.get("head"), token: model.get("token"),
  });
  const choose = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
    show({});
  };
  const view = { layers, heads, n, tokens, mapOf, chosen, choose, hover: (at) => show(at) };

  const text = make("p", { class: "sentence", "aria-hidden": true });
  const aloud = make("p", { class: "aloud", "aria-live": "polite" });
  const [grid, line, large] = [headGrid(view), tokenLine(view), largeMap(view)];

  function show(at) {
    const { layer, head, token } = chosen();
    const query = at.query ?? token;
    const row = mapOf(layer, head).subarray(query * n, (query + 1) * n);
    const state = { layer, head, token, query, key: at.key, row };
    for (const part of [grid, line, large]) part.show(state);
    text.textContent = sentence(state, tokens, quoted);
    if (at.query === undefined) aloud.textContent = sentence(state, tokens, spoken);
  }

  const group = { class: "body", role: "group", "aria-label": title };
  group["data-lm-suppress-shortcuts"] = true; // JupyterLab leaves the arrow keys to us
  el.classList.add("qt-attention");
  el.style.setProperty("--n", n);
  el.append(make(
    "div", group,
    make("div", {}, make("p", { class: "title" }, title), grid.node, text, line.node, aloud),
    make("div", {}, make("div", { class: "scroll" }, large.node), legend()),
  ));
  const update = () => show({});
  const events = ["change:layer", "change:head", "change:token"];
  events.forEach((event) => model.on(event, update));
  update();
  return () => events.forEach((event) => model.off(event, update));
}

export default { render };
