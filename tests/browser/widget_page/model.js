/** A stand-in for the model of ipywidgets: it keeps state, tells listeners, records messages. */

export class StandInModel {
  constructor(state) {
    this.state = { ...state };
    this.listeners = []; // [event, callback, context]
    this.saved = []; // the state at each `save_changes`, only what was set since the last
    this.sent = [];
    this.isBroken = false;
    this.unsaved = {};
  }

  /** What anywidget gives to a view: another object for each. */
  forView(context) {
    return {
      get: (name) => this.state[name],
      set: (name, value) => {
        const changes = typeof name === "string" ? { [name]: value } : name;
        Object.assign(this.unsaved, changes);
        this.change(changes);
      },
      save_changes: () => {
        this.saved.push(this.unsaved);
        this.unsaved = {};
      },
      send: (content) => {
        if (this.isBroken) throw new Error("the comm is closed");
        this.sent.push(content);
      },
      on: (event, callback) => this.listeners.push([event, callback, context]),
      off: (event, callback) => {
        this.listeners = this.listeners.filter(
          ([name, other]) => name !== event || other !== callback
        );
      },
    };
  }

  /** Take changes, as from Python. */
  change(changes) {
    const before = this.state;
    this.state = { ...before, ...changes };
    for (const name of Object.keys(changes)) {
      if (JSON.stringify(before[name]) !== JSON.stringify(changes[name])) {
        this.trigger(`change:${name}`);
      }
    }
  }

  /** A message from Python. */
  message(content) {
    this.trigger("msg:custom", content);
  }

  trigger(event, ...values) {
    for (const [name, callback] of [...this.listeners]) if (name === event) callback(...values);
  }
}
