/** Run and Dry run above TASK and STEP. */

import * as vscode from "vscode";

import { runnables } from "./plans.mjs";

export class Lenses {
  #server;

  /** @param {import("./server.mjs").Server} server */
  constructor(server) {
    this.#server = server;
    this.onDidChangeCodeLenses = server.onDidChange;
  }

  /**
   * @param {vscode.TextDocument} document
   * @param {vscode.CancellationToken} token
   */
  async provideCodeLenses(document, token) {
    const settings = vscode.workspace.getConfiguration("tisslang", document);
    if (!vscode.workspace.isTrusted || !settings.get("codeLens", true)) return [];
    const symbols = await this.#server.symbols(document, token);
    const lineAt = (line) => (line < document.lineCount ? document.lineAt(line).text : "");
    return runnables(symbols ?? [], lineAt).flatMap(({ line, step }) => {
      const range = new vscode.Range(line, 0, line, 0);
      const lens = (title, command) =>
        new vscode.CodeLens(range, { title, command, arguments: [document.uri, step] });
      return [lens("$(play) Run", "tisslang.run"), lens("Dry run", "tisslang.dryRun")];
    });
  }
}
