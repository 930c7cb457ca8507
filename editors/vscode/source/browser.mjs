/** In a browser no program can be started: colours, brackets and snippets need no code. */

export function activate() {}
