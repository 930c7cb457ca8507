/** The page of the tests: one model, and views of it. */

import * as measure from "./measure.js";
import { StandInModel } from "./model.js";
import { STATES } from "./states.js";
import makeWidget from "./widget.js";

const views = document.getElementById("views");

/** Show a widget in a state; what is returned is for the tests. */
async function start(state, count = 1) {
  const model = new StandInModel({ ...STATES.idle, ...state });
  const widget = await makeWidget();
  const closers = [];
  const open = (place = views) => {
    const el = document.createElement("div");
    el.className = "jupyter-widgets";
    place.append(el);
    closers.push(widget.render({ model: model.forView(el), el }));
  };
  for (let number = 0; number < count; number += 1) open();
  const close = () => {
    closers.splice(0).forEach((closer) => closer());
    views.replaceChildren();
  };
  Object.assign(window, { model, open, close, closers });
}

Object.assign(window, { STATES, measure, start });
// Keys that reach the page would reach the notebook.
window.leaked = [];
document.addEventListener("keydown", (event) => window.leaked.push(event.key));
document.documentElement.dataset.ready = "true";
