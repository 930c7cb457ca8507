// A formula that is wider than the page scrolls in its own box: let the arrow keys reach it.
function update() {
  for (const formula of document.querySelectorAll("mjx-container[display]")) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
}
addEventListener("load", () => globalThis.MathJax?.startup.promise.then(update));
addEventListener("resize", update);
