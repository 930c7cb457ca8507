/** What the editor and the machine say about where `tiss` may be. */

import { access, constants, stat } from "node:fs/promises";
import os from "node:os";

import * as vscode from "vscode";

import { findTiss, notFound } from "./finding.mjs";

/**
 * The program `tiss` for a document, or for the window. When there is none, the person is told, and
 * the answer is undefined.
 *
 * @param {vscode.Uri} [uri]
 * @returns {Promise<string | undefined>}
 */
export async function tissFor(uri) {
  const surroundings = look(uri);
  const found = await findTiss(surroundings, isProgram);
  if (found === undefined) void tell(notFound(surroundings));
  return found;
}

/**
 * Shows an error with a button that leads to the setting, and one to an output that says more.
 *
 * @param {string} message
 * @param {vscode.OutputChannel} [output]
 */
export async function tell(message, output) {
  const [settings, details] = ["Open Settings", "Show Output"];
  const buttons = output ? [details, settings] : [settings];
  const chosen = await vscode.window.showErrorMessage(message, ...buttons);
  if (chosen === details) output.show();
  if (chosen === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "tisslang.path");
  }
}

/** @param {vscode.Uri} [uri] */
function look(uri) {
  const nearest = uri && vscode.workspace.getWorkspaceFolder(uri);
  const all = vscode.workspace.workspaceFolders ?? [];
  const folders = nearest ? [nearest, ...all.filter((folder) => folder !== nearest)] : all;
  return {
    setting: vscode.workspace.getConfiguration("tisslang", uri).get("path", ""),
    folders: folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath),
    platform: process.platform,
    home: os.homedir(),
    searchPath: process.env.PATH ?? "",
  };
}

/** @param {string} path */
async function isProgram(path) {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
