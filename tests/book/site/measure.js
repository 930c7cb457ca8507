// What the tests measure in a page of the book: how much was looked at, and what is wrong there.
// `axe` is axe-core.

/** Everything but contrast. */
async function rules() {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    rules: { "color-contrast": { enabled: false } },
    ...QUICK,
  });
  return [1, told(found)];
}

/** Contrast, of one element for each look that is not known from another page. */
async function contrast(known) {
  const all = looks();
  const chosen = [...all].filter(([look]) => !known.includes(look));
  if (!chosen.length) return [all.size, [], []];
  for (const [, element] of chosen) element.dataset.look = "";
  const found = await axe.run(
    { include: [["[data-look]"]] },
    { runOnly: ["color-contrast"], ...QUICK },
  );
  for (const [, element] of chosen) delete element.dataset.look;
  return [all.size, told(found), chosen.map(([look]) => look)];
}

// By itself axe would fetch the style sheets again, and look at what is right in detail.
const QUICK = { resultTypes: ["violations"], preload: false };
const SEVERE = ["serious", "critical"];
const told = ({ violations }) =>
  violations
    .filter(({ impact }) => SEVERE.includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => {
        const why = node.failureSummary.replace(/\s+/g, " ");
        return `${id}: ${node.target.join(" ")}: ${node.html.slice(0, 200)}: ${why}`;
      }),
    );

/** A visible element with text for each look, which is colours of text and ground, size, weight. */
function looks() {
  const seen = new Map();
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const look = [color, fontSize, fontWeight, ...grounds(element)].join();
    if (!seen.has(look)) seen.set(look, element);
  }
  return seen;
}

/** What is painted behind an element, down to the first ground that nothing shines through. */
function* grounds(element) {
  for (let at = element; at; at = at.parentElement) {
    const { backgroundColor, backgroundImage, opacity } = getComputedStyle(at);
    yield [backgroundColor, backgroundImage, opacity].join();
    if (!/, 0(\.\d+)?\)/.test(backgroundColor)) return;
  }
}

/** What does not fit into the width: elements that are cut off, or make the page scroll. */
function tooWide() {
  const width = document.documentElement.clientWidth;
  const parts = document.querySelectorAll("article :is(pre, table, img, svg, mjx-container, p, li)");
  const found = [...parts].filter((part) => {
    const box = part.getBoundingClientRect();
    return box.width && box.right > width + 1 && !scrolls(part.parentElement) && !scrolls(part);
  });
  const page = document.documentElement.scrollWidth;
  const told = found.slice(0, 3).map((part) => part.outerHTML.slice(0, 200));
  return [parts.length, [...(page > width ? [`the page is ${page} px wide`] : []), ...told]];
}

function scrolls(element) {
  for (let at = element; at; at = at.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return at !== document.body;
  }
  return false;
}

/** Paragraphs whose letters are smaller than 16 px. */
function small() {
  const parts = [...document.querySelectorAll("article :is(p, li, dd)")].filter(
    (part) => !part.closest(".cell_output, table, figcaption, .jupyter-widgets, footer"),
  );
  const size = (part) => parseFloat(getComputedStyle(part).fontSize);
  const found = parts.filter((part) => size(part) < 16);
  return [parts.length, found.map((part) => `${size(part)} px: ${part.outerHTML.slice(0, 120)}`)];
}

/** Formulas that are not drawn, or drawn as an error. */
function formulas() {
  const all = [...document.querySelectorAll("article .math")];
  const raw = all.filter((formula) => !formula.querySelector("mjx-container"));
  const wrong = document.querySelectorAll("mjx-merror, [data-mjx-error]");
  return [all.length, [...raw, ...wrong].map((formula) => formula.outerHTML.slice(0, 200))];
}

/** Resolves when MathJax and the widgets have drawn what they draw. */
async function drawn() {
  await globalThis.MathJax?.startup?.promise;
  const wanted = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]');
  while (document.querySelectorAll(".widget-subarea > *").length < wanted.length) {
    await new Promise((done) => setTimeout(done, 20));
  }
}
