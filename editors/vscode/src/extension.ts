// The extension: starts `atnas lsp` and says so where it cannot.

import { dirname, join } from "node:path";
import {
  commands,
  type ExtensionContext,
  languages,
  LanguageStatusSeverity,
  type LogOutputChannel,
  window,
  workspace,
} from "vscode";
import {
  CloseAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  State,
} from "vscode-languageclient/node";
import { type Command, firstThatAnswers, sentence, serve } from "./command";
import { candidates } from "./find";
import { interpreter, pythonApi } from "./python";

const HELP = "How to Install";
const INSTALL = "Install Server";
const SETTINGS = "Open Settings";
const OUTPUT = "Show Output";
const WINDOWS = process.platform === "win32";

let client: LanguageClient | undefined;
let turn: Promise<void> = Promise.resolve();

export async function activate(context: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel("atnas", { log: true });
  const status = languages.createLanguageStatusItem("atnas", { language: "atnas" });
  status.name = "atnas";
  status.command = { command: "atnas.restart", title: "Restart" };

  const show = (text: string, severity = LanguageStatusSeverity.Information) => {
    status.text = text;
    status.severity = severity;
  };
  // One after another: a restart that comes while the server is starting waits for it.
  const restart = () => (turn = turn.then(() => stop()).then(() => start(output, show)));

  context.subscriptions.push(
    output,
    status,
    commands.registerCommand("atnas.restart", restart),
    commands.registerCommand("atnas.output", () => output.show()),
    workspace.onDidGrantWorkspaceTrust(restart),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("atnas.path") || change.affectsConfiguration("atnas.server.enabled")) restart();
    }),
  );
  const python = await pythonApi();
  if (python) context.subscriptions.push(python.environments.onDidChangeActiveEnvironmentPath(restart));
  await restart();
}

export async function deactivate(): Promise<void> {
  await turn;
  await stop();
}

async function stop(): Promise<void> {
  const old = client;
  client = undefined;
  if (old?.isRunning()) await old.stop();
}

type Show = (text: string, severity?: LanguageStatusSeverity) => void;

async function start(output: LogOutputChannel, show: Show): Promise<void> {
  if (!workspace.isTrusted) return show("the folder is not trusted");
  if (!workspace.getConfiguration("atnas").get("server.enabled", true)) return show("the server is off");

  const places = await whereToLook();
  const command = await firstThatAnswers(places);
  if (!command) {
    show("atnas is not found", LanguageStatusSeverity.Error);
    output.error(`no atnas in ${places.join(", ")}`);
    return void missing();
  }
  output.info(`${command.path}, version ${command.version}`);

  const said: string[] = [];
  client = languageClient(command, output, (text) => said.push(text));
  try {
    await client.start();
    show(`atnas ${command.version}`);
  } catch (error) {
    client = undefined;
    show("the server did not start", LanguageStatusSeverity.Error);
    output.error(String(error));
    void refused(command, sentence(said.join("")), output);
  }
}

async function whereToLook(): Promise<string[]> {
  const folders = workspace.workspaceFolders ?? [];
  return candidates({
    setting: workspace.getConfiguration("atnas").get("path", ""),
    interpreter: await interpreter(await pythonApi(), folders[0]?.uri),
    folders: folders.map((folder) => folder.uri.fsPath),
    windows: WINDOWS,
  });
}

function languageClient(command: Command, output: LogOutputChannel, heard: (text: string) => void): LanguageClient {
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath;
  return new Client("atnas", "atnas", async () => serve(command, folder, heard), {
    documentSelector: [
      { scheme: "file", language: "atnas" },
      { scheme: "untitled", language: "atnas" },
    ],
    outputChannel: output,
    traceOutputChannel: output,
    initializationFailedHandler: () => false,
  });
}

/** A client that leaves it to `refused` to tell of a server that never ran; one that has run is started again as usual. */
class Client extends LanguageClient {
  private ran = false;

  constructor(...given: [string, string, ServerOptions, LanguageClientOptions]) {
    super(...given);
    this.onDidChangeState(({ newState }) => (this.ran ||= newState === State.Running));
  }

  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.ran && show);
  }

  override createDefaultErrorHandler(restarts?: number): ErrorHandler {
    const usual = super.createDefaultErrorHandler(restarts);
    return {
      error: (error, message, count) => usual.error(error, message, count),
      closed: () => (this.ran ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true }),
    };
  }
}

async function missing(): Promise<void> {
  const text = "atnas is not found. Files are highlighted; findings, shapes and completion need it.";
  const answer = await window.showWarningMessage(text, HELP, SETTINGS);
  if (answer === HELP) await commands.executeCommand("extension.open", "atnas.atnas");
  if (answer === SETTINGS) await commands.executeCommand("workbench.action.openSettings", "atnas.path");
}

async function refused(command: Command, reason: string | undefined, output: LogOutputChannel): Promise<void> {
  const text = `${command.path} cannot serve the editor: ${reason ?? "see the output"}`;
  const answer = await window.showErrorMessage(text, INSTALL, OUTPUT);
  if (answer === INSTALL) installServer(command);
  if (answer === OUTPUT) output.show();
}

/** Writes into a terminal what installs the server beside that atnas; the user reads it and presses Enter. */
function installServer(command: Command): void {
  const python = join(dirname(command.path), WINDOWS ? "python.exe" : "python");
  const terminal = window.createTerminal("atnas");
  terminal.show();
  terminal.sendText(`${python.includes(" ") ? `"${python}"` : python} -m pip install "atnas[lsp]"`, false);
}
