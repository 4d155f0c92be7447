// The `atnas` command as a process: which one answers, and its language server.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

export interface Command {
  readonly path: string;
  /** As `atnas --version` gives it. */
  readonly version: string;
}

/** The first of the paths that is an atnas; undefined where none is. */
export async function firstThatAnswers(paths: readonly string[]): Promise<Command | undefined> {
  for (const path of paths) {
    try {
      const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 30_000 });
      const version = /version (\S+)/.exec(stdout)?.[1];
      if (version) return { path, version };
    } catch {
      continue; // not there, or not an atnas
    }
  }
  return undefined;
}

/** A language server over stdin and stdout; `heard` gets what it says on stderr. */
export function serve(command: Command, folder: string | undefined, heard: (text: string) => void): ChildProcess {
  const server = spawn(command.path, ["lsp"], { cwd: folder, stdio: "pipe" });
  server.stderr.setEncoding("utf-8").on("data", heard);
  return server;
}

/** The last sentence that atnas said of why it could not: `atnas: ..` on stderr. */
export function sentence(said: string): string | undefined {
  const lines = said.split(/\r?\n/).filter((line) => line.startsWith("atnas: "));
  return lines.at(-1)?.slice("atnas: ".length);
}
