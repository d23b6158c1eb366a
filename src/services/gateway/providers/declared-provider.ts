import * as z from "zod";
import type { Verdict } from "#platform/egress/verdict.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import { type ResourceName, resourceName } from "#platform/lib/resource-name.ts";
import type { CredentialSource } from "#vault/credentials/index.ts";
import { PROVIDER_KINDS, type ProviderKind, parseBaseUrl } from "./kind.ts";
import { changedOptions, type ProviderOptions, providerOptions } from "./options.ts";

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

const LITERAL =
  "a credential does not stand in the file; name where it is: {secret: NAME}, {env: VARIABLE} or {file: PATH}";

const secretName = resourceName.describe("The name of a secret that is sealed in the store.");
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "is not the name of an environment variable")
  .describe("An environment variable of the server.");
const path = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/, "is not an absolute path")
  .describe("A file that only the server's user may read; one line break at its end is no part of it.");

const source = z.union(
  [
    z.strictObject({ secret: secretName }, { error: LITERAL }),
    z.strictObject({ env: variable }, { error: LITERAL }),
    z.strictObject({ file: path }, { error: LITERAL }),
  ],
  { error: LITERAL },
);

const fields = z.strictObject({
  kind: z.enum(PROVIDER_KINDS).describe("What it speaks."),
  base_url: z.string().max(2048).optional().describe("Where its API is."),
  options: providerOptions.optional().describe("What this upstream wants otherwise than the rest."),
  credentials: z.array(source).max(16).optional().describe("Its credentials; the first that works is used."),
  credential: source.optional().describe("Its credential, where there is one only."),
});

/** The resource of the type `Provider`: its fields in the file, and what is made of them. */
export const providerResource = {
  fields,
  /** A provider from its fields. Throws DeclaredProviderProblems. */
  read(name: ResourceName, given: z.infer<typeof fields>): DeclaredProvider {
    const { kind, base_url: baseUrl, options = {}, credential, credentials } = given;
    if (credential !== undefined && credentials !== undefined)
      throw new DeclaredProviderProblems([
        { path: [name, "credential"], message: "give credential or credentials, not both" },
      ]);
    const sources = credentials ?? (credential === undefined ? [] : [credential]);
    return { name, kind, baseUrl, options, credentials: sources };
  },
};

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

function refusalOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
