// Where the `atnas` command may be, best first. Knows nothing of VS Code.

import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";

export interface Surroundings {
  /** The setting `atnas.path`; empty where the user gave none. */
  readonly setting: string;
  /** The Python interpreter that was chosen in the editor, if one was. */
  readonly interpreter?: string;
  /** The folders that are open. */
  readonly folders: readonly string[];
  readonly windows: boolean;
}

const ENVIRONMENTS = [".venv", "venv", "env"];

/** Paths to try in order, the last of them left to PATH; where there is a setting it is the only one. */
export function candidates({ setting, interpreter, folders, windows }: Surroundings): string[] {
  if (setting.trim()) return [expanded(setting.trim(), folders[0])];
  const command = windows ? "atnas.exe" : "atnas";
  const beside = interpreter && isAbsolute(interpreter) ? [join(dirname(interpreter), command)] : [];
  const scripts = windows ? "Scripts" : "bin";
  const environments = folders.flatMap((folder) => ENVIRONMENTS.map((name) => join(folder, name, scripts, command)));
  return [...beside, ...environments, command];
}

function expanded(path: string, folder: string | undefined): string {
  if (path.startsWith("~/") || path.startsWith("~\\")) return join(homedir(), path.slice(2));
  const whole = folder ? path.replaceAll("${workspaceFolder}", folder) : path;
  return folder && /[/\\]/.test(whole) && !isAbsolute(whole) ? resolve(folder, whole) : whole;
}
