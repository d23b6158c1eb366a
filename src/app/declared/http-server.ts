import * as z from "zod";
import { isHostName, isOrigin } from "#platform/config/addresses.ts";
import { DEFAULT_PORT } from "#platform/config/listen.ts";
import { resourceKind } from "#platform/config/resource-kind.ts";
import type { Given } from "#platform/config/resources.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { listOf } from "./identity.ts";
import { isLocalPlace, type ListenPlace, parseListenAddr } from "./listen-addr.ts";

/** What a listener can serve. */
const SERVED_FAMILIES = ["gateway", "api", "dashboard", "events"] as const;
export type ServedFamily = (typeof SERVED_FAMILIES)[number];

/** The words of `auth` beside the names of identities. */
export const ENTRY_WORDS = ["users", "keys", "cluster", "anonymous"] as const;

const MOST_ADDRESSES = 16;
const MOST_NAMES = 1000;

const address = z.string().superRefine((text, context) => {
  const parsed = parseListenAddr(text);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.message });
});
const absolutePath = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/, "must be an absolute path");
const pair = z.strictObject({
  cert: absolutePath.describe("The certificate and those that vouch for it, PEM."),
  key: absolutePath.describe("Its private key, PEM."),
});

const shape = z.strictObject({
  listen_addr: z
    .union([address, z.array(address).min(1).max(MOST_ADDRESSES)])
    .describe(
      "ADDRESS:PORT, :PORT for every address, or unix:/PATH; one or a list. Without a port it is 8442 with TLS, and 8441 for plain HTTP on loopback.",
    ),
  auth: z
    .array(resourceName)
    .min(1)
    .max(MOST_NAMES)
    .nullable()
    .describe(
      "Who may enter: names of identities, and users, keys, cluster, anonymous. null turns authentication off.",
    ),
  tls: z
    .union([
      z.enum(["auto", "off"]),
      pair,
      z.array(pair).min(1).max(MOST_ADDRESSES),
      z.strictObject({
        pfx: absolutePath.describe("Certificate and key in one, PKCS #12."),
        password_file: absolutePath.describe("The file that holds its password."),
      }),
    ])
    .optional()
    .describe("auto: a certificate made here; off; or your own. To be written beyond loopback."),
  serve: z
    .array(z.enum(SERVED_FAMILIES))
    .min(1)
    .optional()
    .describe(
      "What is served; all unless given, and without authentication only gateway and events. The rest is 404.",
    ),
  allowed_hosts: z
    .array(z.string().refine(isHostName, "must be a host name without port or wildcard").toLowerCase())
    .optional()
    .describe("Further host names it answers for."),
  allowed_origins: z
    .array(z.string().refine(isOrigin, "must be an exact origin, as https://app.example:8443"))
    .optional()
    .describe("Web pages of other origins that may use the gateway."),
  allow_plain_http: z.boolean().optional().describe("Permit plain HTTP beyond loopback."),
  allow_unauthenticated_remote: z.boolean().optional().describe("Permit auth: null beyond loopback."),
  anonymous_permissions: resourceName
    .optional()
    .describe("The permission set of callers without a credential; gateway unless given."),
});

/** `resource_type: HttpServer` of claviger.yaml. */
export const httpServerKind = resourceKind({
  resourceType: "HttpServer",
  doc: "A listener: where it listens, who may enter, and what it serves.",
  shape,
  partial: shape.partial(),
});

type Fields = z.infer<typeof shape>;
export type HttpServerFields = Given<Fields>;

/** What listens where the file declares nothing, as it would be declared. It ends with the first one that is. */
export const DEFAULT_HTTP_SERVER = {
  listen_addr: `localhost:${DEFAULT_PORT}`,
  auth: ENTRY_WORDS.map((word) => resourceName.parse(word)),
} satisfies Fields;

/** How a listener speaks TLS; paths are absolute. */
export type DeclaredTls =
  | { readonly kind: "off" }
  | { readonly kind: "auto" }
  | { readonly kind: "pairs"; readonly pairs: readonly { readonly cert: string; readonly key: string }[] }
  | { readonly kind: "pfx"; readonly pfx: string; readonly passwordFile: string };

/** Who may enter: those that are listed, or everybody with one permission set. */
export type DeclaredEntry =
  | {
      readonly kind: "listed";
      /** Resource names. */
      readonly identities: ReadonlySet<string>;
      readonly users: boolean;
      readonly keys: boolean;
      readonly cluster: boolean;
      /** The permission set of callers without a credential; undefined where they may not enter. */
      readonly anonymous: string | undefined;
    }
  | { readonly kind: "open"; readonly permissionSet: string };

/** A listener of claviger.yaml. */
export interface DeclaredHttpServer {
  readonly name: string;
  readonly places: readonly ListenPlace[];
  readonly tls: DeclaredTls;
  readonly serves: ReadonlySet<ServedFamily>;
  readonly entry: DeclaredEntry;
  readonly allowedHosts: ReadonlySet<string>;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** The listener that the fields declare. */
export function toHttpServer(name: string, fields: Fields): DeclaredHttpServer {
  const served = fields.auth === null ? (["gateway", "events"] as const) : SERVED_FAMILIES;
  return {
    name,
    places: placesOf(fields).map(({ place }) => place),
    tls: toTls(fields.tls ?? "off"),
    serves: new Set(fields.serve ?? served),
    entry: toEntry(fields),
    allowedHosts: new Set(fields.allowed_hosts),
    allowedOrigins: new Set(fields.allowed_origins),
  };
}

/** Where a listener listens, each place with the path of the field that names it. */
export function placesOf(fields: HttpServerFields): { place: ListenPlace; path: readonly PropertyKey[] }[] {
  const written = fields.listen_addr ?? [];
  return listOf(written).flatMap((text, index) => {
    const parsed = parseListenAddr(text, isSecure(fields));
    const path = typeof written === "string" ? ["listen_addr"] : ["listen_addr", index];
    return parsed.ok ? parsed.places.map((place) => ({ place, path })) : [];
  });
}

/** Whether it speaks TLS. */
export function isSecure({ tls }: HttpServerFields): boolean {
  return tls !== undefined && tls !== "off";
}

/** The first place that other machines reach. */
export function remotePlace(fields: HttpServerFields): ReturnType<typeof placesOf>[number] | undefined {
  return placesOf(fields).find(({ place }) => !isLocalPlace(place));
}

function toTls(tls: NonNullable<Fields["tls"]>): DeclaredTls {
  if (tls === "auto" || tls === "off") return { kind: tls };
  if ("pfx" in tls) return { kind: "pfx", pfx: tls.pfx, passwordFile: tls.password_file };
  return { kind: "pairs", pairs: "cert" in tls ? [tls] : tls };
}

function toEntry({ auth, anonymous_permissions: given }: Fields): DeclaredEntry {
  const named: string = given ?? "gateway";
  if (auth === null) return { kind: "open", permissionSet: named };
  const has = (word: (typeof ENTRY_WORDS)[number]) => auth.some((name) => name === word);
  const identities = auth.filter((name) => !ENTRY_WORDS.some((word) => word === name));
  return {
    kind: "listed",
    identities: new Set(identities),
    users: has("users"),
    keys: has("keys"),
    cluster: has("cluster"),
    anonymous: has("anonymous") ? named : undefined,
  };
}
