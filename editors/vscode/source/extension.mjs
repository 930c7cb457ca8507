/** What the extension adds to the editor. */

import * as vscode from "vscode";

import { Lenses } from "./lenses.mjs";
import { runPlan, taskProvider } from "./running.mjs";
import { Server } from "./server.mjs";

/** @type {Server | undefined} */
let server;

/** @param {vscode.ExtensionContext} context */
export function activate({ subscriptions }) {
  server = new Server();
  const { commands, languages, tasks, workspace } = vscode;
  const start = () => {
    void commands.executeCommand("setContext", "tisslang.canRun", workspace.isTrusted);
    return server.restart();
  };
  // A button of the editor's title bar gives more arguments than a lens does: only texts count.
  const run = (how) => (uri, step) =>
    runPlan({ ...how, ...(typeof step === "string" && { step }) }, uri);
  subscriptions.push(
    commands.registerCommand("tisslang.run", run({})),
    commands.registerCommand("tisslang.dryRun", run({ dryRun: true })),
    commands.registerCommand("tisslang.check", run({ check: true })),
    commands.registerCommand("tisslang.format", () =>
      commands.executeCommand("editor.action.formatDocument"),
    ),
    commands.registerCommand("tisslang.restart", () => server.restart()),
    languages.registerCodeLensProvider({ language: "tiss", scheme: "file" }, new Lenses(server)),
    tasks.registerTaskProvider("tiss", taskProvider),
    workspace.onDidGrantWorkspaceTrust(start),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("tisslang.path")) void server.restart();
    }),
  );
  void start();
}

/** The editor waits for this, so that no server is left behind. */
export function deactivate() {
  return server?.stop();
}
