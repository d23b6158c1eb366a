import type { Verdict } from "#platform/egress/verdict.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { CredentialSource } from "#vault/credentials/index.ts";
import { type ProviderKind, parseBaseUrl } from "./kind.ts";
import { changedOptions, type ProviderOptions } from "./options.ts";

/** A provider as the configuration file declares it. */
export interface DeclaredProvider {
  readonly name: ResourceName;
  readonly kind: ProviderKind;
  readonly baseUrl?: string | undefined;
  readonly options: ProviderOptions;
  readonly credentials: readonly CredentialSource[];
}

/** What is wrong with a declared provider; `path` begins with its name. */
export interface DeclaredProviderProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Declared providers that cannot be served, every problem of them a line. Nothing was changed. Exit status 78. */
export class DeclaredProviderProblems extends StartError {
  readonly problems: readonly DeclaredProviderProblem[];

  constructor(problems: readonly DeclaredProviderProblem[]) {
    super(problems.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
    this.name = "DeclaredProviderProblems";
    this.problems = problems;
  }
}

/** What the API would refuse of these providers, judged by the same rules. */
export async function checkDeclaredProviders(
  list: readonly DeclaredProvider[],
  verdict: (url: string) => Promise<Verdict>,
): Promise<DeclaredProviderProblem[]> {
  const found = await Promise.all(list.map((provider) => checkOne(provider, verdict)));
  const names = list.map(({ name }) => name);
  const twice = list.filter(({ name }, index) => names.indexOf(name) !== index);
  return [
    ...found.flat(),
    ...twice.map(({ name }) => ({ path: [name], message: `two providers are named ${name}.` })),
  ];
}

async function checkOne(
  { name, kind, baseUrl, options }: DeclaredProvider,
  verdict: (url: string) => Promise<Verdict>,
): Promise<DeclaredProviderProblem[]> {
  const at = (field: string, message: string | undefined) =>
    message === undefined ? [] : [{ path: [name, ...field.split(".")], message }];
  const base = refusalOf(() => parseBaseUrl(kind, baseUrl));
  const denied = async (url: string) => {
    const judged = await verdict(url);
    return judged.allowed ? undefined : judged.reason;
  };
  const dialled = base ?? (await denied(baseUrl ?? parseBaseUrl(kind, baseUrl).href));
  const proxied = options.proxy === undefined ? undefined : await denied(options.proxy);
  return [
    ...at("base_url", dialled),
    ...at(
      "options",
      refusalOf(() => changedOptions(kind, {}, options)),
    ),
    ...at("options.proxy", proxied),
  ];
}

/** The public words of the AppError that `check` throws; undefined when it throws none. */
export function refusalOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
