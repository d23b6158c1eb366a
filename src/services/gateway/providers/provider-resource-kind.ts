import * as z from "zod";
import { isOwnSecret } from "#platform/config/own-secrets.ts";
import { resourceKind } from "#platform/config/resource-kind.ts";
import { judgeUrl } from "#platform/egress/url-policy.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { type DeclaredProvider, refusalOf } from "./declared-provider.ts";
import { PROVIDER_KINDS, parseBaseUrl } from "./kind.ts";
import { changedOptions, providerOptions } from "./options.ts";

const MOST_CREDENTIALS = 16;
const NO_LITERAL =
  "a credential has no place in this file; name it as {secret: NAME}, {env: VAR} or {file: PATH}";
const noLiteral = { error: NO_LITERAL };

const secret = z.strictObject(
  {
    secret: resourceName.describe("A sealed credential, set by: claviger provider set-credential"),
  },
  noLiteral,
);
const variable = z.strictObject(
  {
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "must be the name of an environment variable")
      .describe("An environment variable that holds the credential."),
  },
  noLiteral,
);
const file = z.strictObject(
  {
    file: z
      .string()
      .max(4096)
      .regex(/^\/[^\0]*$/, "must be an absolute path")
      .describe("A file that holds the credential, readable to the server alone."),
  },
  noLiteral,
);
const source = z.union([secret, variable, file], noLiteral);

const shape = z.strictObject({
  kind: z.enum(PROVIDER_KINDS).describe("What the upstream speaks."),
  base_url: z
    .string()
    .max(2048)
    .optional()
    .describe("Where it is; needed for the -compatible kinds and http."),
  options: providerOptions.optional().describe("What this upstream wants otherwise than the rest."),
  credential: source.optional().describe("Where its credential is."),
  credentials: z
    .array(source)
    .max(MOST_CREDENTIALS)
    .optional()
    .describe("Several, tried one after the other, in place of credential."),
});

/** `resource_type: Provider` of claviger.yaml. */
export const providerResourceKind = {
  ...resourceKind({
    resourceType: "Provider",
    doc: "An upstream: the service that answers.",
    shape,
    partial: shape.partial(),
  }),
  toDeclared,
};

const OWN_SECRET =
  "holds a secret of this server itself, which must not be sent to an upstream; name another variable";

type Fields = z.infer<typeof shape>;

interface FieldProblem {
  /** The field of the resource. */
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

/**
 * The provider that the fields declare, by the rules of `POST /api/v1/providers` as far as they can be told without the
 * network, or what is wrong with them.
 */
function toDeclared(
  name: string,
  fields: Fields,
): DeclaredProvider | { readonly problems: readonly FieldProblem[] } {
  const { kind, base_url: baseUrl, options = {} } = fields;
  const problems = [...credentialProblems(fields), ...urlProblems(fields)];
  const optionsProblem = refusalOf(() => changedOptions(kind, {}, options));
  if (optionsProblem !== undefined) problems.push({ path: ["options"], problem: optionsProblem });
  if (problems.length > 0) return { problems };
  return {
    name: resourceName.parse(name),
    kind,
    baseUrl,
    options: changedOptions(kind, {}, options),
    credentials: fields.credentials ?? (fields.credential === undefined ? [] : [fields.credential]),
  };
}

/** A variable that holds a secret of this server would be sent to the upstream like any other. */
function credentialProblems({ credential, credentials }: Fields): FieldProblem[] {
  const written = [
    ...(credential === undefined ? [] : [{ path: ["credential"], source: credential }]),
    ...(credentials ?? []).map((source, index) => ({ path: ["credentials", index], source })),
  ];
  const own = written.flatMap(({ path, source }) =>
    "env" in source && isOwnSecret(source.env)
      ? [{ path: [...path, "env"], problem: `${source.env} ${OWN_SECRET}` }]
      : [],
  );
  if (credential === undefined || credentials === undefined) return own;
  const both = { path: ["credential"], problem: "credential and credentials are both here; keep one" };
  return [both, ...own];
}

/** What the way out would refuse whatever the names in these URLs resolve to. */
function urlProblems({ kind, base_url: baseUrl, options }: Fields): FieldProblem[] {
  const at = (path: readonly PropertyKey[], problem: string | undefined) =>
    problem === undefined ? [] : [{ path, problem }];
  return [
    ...at(["base_url"], refusalOf(() => parseBaseUrl(kind, baseUrl)) ?? denialOf(baseUrl)),
    ...at(["options", "proxy"], denialOf(options?.proxy)),
  ];
}

function denialOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const verdict = judgeUrl(url);
  return verdict.allowed ? undefined : verdict.reason;
}
