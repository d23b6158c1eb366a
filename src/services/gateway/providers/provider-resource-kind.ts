import * as z from "zod";
import { resourceKind } from "#platform/config/resource-kind.ts";
import { AppError } from "#platform/lib/error.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { DeclaredProvider } from "./declared-provider.ts";
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

type Fields = z.infer<typeof shape>;

/** The provider that the fields declare, by the rules of `POST /api/v1/providers`, or what is wrong with them. */
function toDeclared(
  name: string,
  fields: Fields,
): DeclaredProvider | { readonly path: readonly string[]; readonly problem: string } {
  if (fields.credential !== undefined && fields.credentials !== undefined)
    return { path: ["credential"], problem: "credential and credentials are both here; keep one" };
  let field = "base_url";
  try {
    parseBaseUrl(fields.kind, fields.base_url);
    field = "options";
    const options = changedOptions(fields.kind, {}, fields.options ?? {});
    const credentials = fields.credentials ?? (fields.credential === undefined ? [] : [fields.credential]);
    return {
      name: resourceName.parse(name),
      kind: fields.kind,
      baseUrl: fields.base_url,
      options,
      credentials,
    };
  } catch (error) {
    if (error instanceof AppError) return { path: [field], problem: error.message };
    throw error;
  }
}
