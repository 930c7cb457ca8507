/** Plans as tasks of the editor: they run in its terminal, where a person can answer questions. */

import path from "node:path";

import * as vscode from "vscode";

import { argumentsFor, hasVariable, taskName } from "./plans.mjs";
import { tissFor } from "./surroundings.mjs";

const TYPE = "tiss";

/**
 * Saves the plan and runs it: the document given, else the one in front of the person.
 *
 * @param {{ check?: boolean, dryRun?: boolean, step?: string }} how
 * @param {vscode.Uri} [uri]
 */
export async function runPlan(how, uri) {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      "TissLang: a plan runs only in a workspace that you trust.",
    );
    return;
  }
  const document = await planToRun(uri);
  if (!document) return;
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  const file = folder
    ? path.relative(folder.uri.fsPath, document.uri.fsPath)
    : path.basename(document.uri.fsPath);
  const cwd = folder?.uri.fsPath ?? path.dirname(document.uri.fsPath);
  if (hasVariable(cwd, file, how.step)) {
    void vscode.window.showErrorMessage(
      "TissLang: a path or a step with ${ in it cannot be run from here: use a terminal.",
    );
    return;
  }
  const task = await makeTask({ type: TYPE, file, ...how }, folder, cwd);
  if (task) await vscode.tasks.executeTask(task);
}

/** Tasks of type `tiss` that a person wrote into tasks.json. */
export const taskProvider = {
  provideTasks: () => [],
  /** @param {vscode.Task} task */
  resolveTask({ definition, scope }) {
    const folder = typeof scope === "object" ? scope : vscode.workspace.workspaceFolders?.[0];
    return makeTask(definition, folder, folder?.uri.fsPath);
  },
};

/**
 * @param {vscode.TaskDefinition} definition
 * @param {vscode.WorkspaceFolder | undefined} folder
 * @param {string | undefined} cwd
 */
async function makeTask(definition, folder, cwd) {
  const tiss = await tissFor(folder?.uri);
  if (tiss === undefined) return undefined;
  const settings = vscode.workspace.getConfiguration("tisslang", folder);
  const task = new vscode.Task(
    definition,
    folder ?? vscode.TaskScope.Global,
    taskName(definition),
    TYPE,
    new vscode.ProcessExecution(tiss, argumentsFor(definition, settings.get("runArguments", [])), {
      cwd,
    }),
  );
  task.presentationOptions = { clear: true, panel: vscode.TaskPanelKind.Dedicated };
  return task;
}

/** @param {vscode.Uri} [uri] */
async function planToRun(uri) {
  const active = vscode.window.activeTextEditor?.document;
  const document = uri ? await vscode.workspace.openTextDocument(uri) : active;
  if (document?.languageId !== "tiss") {
    void vscode.window.showInformationMessage("TissLang: open a plan, a .tiss file, to run it.");
    return undefined;
  }
  if (document.isUntitled || document.uri.scheme !== "file") {
    void vscode.window.showInformationMessage("TissLang: save the plan as a file to run it.");
    return undefined;
  }
  return (!document.isDirty || (await document.save())) && document;
}
