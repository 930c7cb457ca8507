/** What the tests measure on the page. */

/** Where coloured characters stand: `[x, y, line, offset in the line]`, those that are in sight. */
export function glyphs() {
  const page = document.querySelector(".tiss-page").getBoundingClientRect();
  const numbers = [...document.querySelectorAll(".tiss-number")].map((node) =>
    parseInt(node.textContent.replace(/\D/g, ""))
  );
  const places = [];
  [...document.querySelectorAll(".tiss-line")].forEach((line, row) => {
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    let before = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      let offset = 0;
      for (const character of node.data) {
        const range = document.createRange();
        range.setStart(node, offset);
        range.setEnd(node, offset + character.length);
        const box = range.getBoundingClientRect();
        const [x, y] = [box.left + Math.min(2, box.width / 4), box.top + box.height / 2];
        const isAcross = x > page.left + 2 && x < page.right - 20;
        const isDown = y > page.top + 4 && y < page.bottom - 20;
        // A combining accent has no place of its own.
        if (isAcross && isDown && box.width > 3 && character !== "\u0301") {
          places.push([x, y, numbers[row], before + offset]);
        }
        offset += character.length;
      }
      before += node.data.length;
    }
  });
  return places;
}

const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** A colour of CSS as `[red, green, blue, alpha]`, each up to 255. */
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}

function over(top, back) {
  const alpha = top[3] / 255;
  return back.map((value, index) => top[index] * alpha + value * (1 - alpha));
}

function background(node) {
  if (!node) return [255, 255, 255];
  const own = rgba(getComputedStyle(node).backgroundColor);
  return own[3] === 255 ? own.slice(0, 3) : over(own, background(node.parentElement));
}

/** The relative luminance of WCAG. */
function luminance(rgb) {
  const [red, green, blue] = rgb
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** How many texts there are, those with too little contrast, how light the widget is. */
export function contrasts() {
  const root = document.querySelector(".tiss-widget");
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || node.closest("textarea, [aria-disabled]")) continue;
    if (!node.checkVisibility()) continue;
    seen += 1;
    const ground = background(node);
    const ink = over(rgba(getComputedStyle(node).color), ground);
    const [dark, light] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push([ratio.toFixed(2), node.className, text.data.slice(0, 30)]);
  }
  return [seen, poor, luminance(background(root))];
}

/** What stands out of the widget at the right, save for what scrolls. */
export function overhang() {
  const root = document.querySelector(".tiss-widget");
  const edge = root.getBoundingClientRect().right;
  return [...root.querySelectorAll("*")]
    .filter((node) => node.getBoundingClientRect().right > edge + 1)
    .filter((node) => !node.closest(".tiss-text, .tiss-editor"))
    .map((node) => node.outerHTML.slice(0, 80));
}
