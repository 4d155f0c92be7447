// The Python extension, where it is installed: the interpreter that the user chose there.

import { type Event, extensions, type Uri } from "vscode";

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: Uri): { readonly path: string };
    resolveEnvironment(
      environment: { readonly path: string },
    ): Promise<{ readonly executable: { readonly uri?: Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: Event<unknown>;
  };
}

/** The API of the Python extension; undefined where it is not installed or has none. */
export async function pythonApi(): Promise<PythonApi | undefined> {
  const api = (await extensions.getExtension<Partial<PythonApi>>("ms-python.python")?.activate()) ?? {};
  return api.environments ? { environments: api.environments } : undefined;
}

/** The interpreter that is chosen for a folder. */
export async function interpreter(api: PythonApi | undefined, folder: Uri | undefined): Promise<string | undefined> {
  const chosen = await api?.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath(folder));
  return chosen?.executable.uri?.fsPath;
}
