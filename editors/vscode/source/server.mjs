/** The language server: `tiss lsp`, one for the window. */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";

import { tell, tissFor } from "./surroundings.mjs";

export class Server {
  /** @type {LanguageClient | undefined} */
  #client;
  #changed = new vscode.EventEmitter();
  /** Starting and stopping take turns. */
  #last = Promise.resolve();

  /** Fires when the server has started or ended. */
  onDidChange = this.#changed.event;

  /** Starts the server anew, or for the first time. Does nothing in a workspace without trust. */
  restart() {
    return this.#afterwards(async () => {
      await this.#end();
      if (!vscode.workspace.isTrusted) return;
      const command = await tissFor();
      if (command === undefined) return;
      this.#client = client(command);
      this.#client.onDidChangeState(() => this.#changed.fire());
      try {
        await this.#client.start();
      } catch (error) {
        const { outputChannel } = this.#client;
        outputChannel.appendLine(String(error));
        void tell(`TissLang: the language server, ${command} lsp, did not start.`, outputChannel);
      }
    });
  }

  /** Ends the server. */
  stop() {
    return this.#afterwards(() => this.#end());
  }

  /**
   * The symbols of a document as the server has them, undefined without a server.
   *
   * @param {vscode.TextDocument} document
   * @param {vscode.CancellationToken} token
   */
  async symbols(document, token) {
    const client = this.#client;
    if (client?.state !== State.Running) return undefined;
    await client.start(); // it says that it runs before it has sent the open documents
    const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
    return client.sendRequest("textDocument/documentSymbol", { textDocument }, token);
  }

  /** @param {() => Promise<void>} work */
  #afterwards(work) {
    this.#last = this.#last.then(work, work);
    return this.#last;
  }

  async #end() {
    const client = this.#client;
    this.#client = undefined;
    await client?.dispose().catch(() => {}); // it may never have run
  }
}

/**
 * A client that is not started yet. One that has run is started again when it fails, up to four
 * times; one that never ran is not, for it would only say the same again.
 *
 * @param {string} command
 */
function client(command) {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
  let hasRun = false;
  const made = new LanguageClient(
    "tisslang",
    "TissLang",
    { command, args: ["lsp"], options: { cwd: folder?.uri.fsPath } },
    {
      documentSelector: [
        { language: "tiss", scheme: "file" },
        { language: "tiss", scheme: "untitled" },
      ],
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: (...seen) =>
          hasRun ? usual.error(...seen) : { action: ErrorAction.Continue, handled: true },
        closed: () =>
          hasRun ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true },
      },
    },
  );
  const usual = made.createDefaultErrorHandler();
  made.onDidChangeState(({ newState }) => {
    hasRun ||= newState === State.Running;
  });
  return made;
}
