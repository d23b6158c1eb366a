import * as z from "zod";
import { AppError } from "#platform/lib/error.ts";
import { HTTP_METHODS } from "../http-api/http-methods.ts";
import type { ProviderKind } from "./kind.ts";
import { extraHeaders, headerName } from "./option-headers.ts";

const LONGEST_CONNECT_MS = 120_000;
const LONGEST_WAIT_MS = 3_600_000;

const options = {
  ca_file: z
    .string()
    .max(4096)
    .regex(/^\/[^\0]*$/, "is an absolute path of a PEM file on the server")
    .optional(),
  connect_timeout_ms: z.int().min(1).max(LONGEST_CONNECT_MS).optional(),
  headers_timeout_ms: z.int().min(1).max(LONGEST_WAIT_MS).optional(),
  body_idle_timeout_ms: z.int().min(1).max(LONGEST_WAIT_MS).optional(),
  extra_headers: extraHeaders.optional(),
  proxy: z.string().max(2048).refine(isProxyUrl, "is http://HOST:PORT, without user name or path").optional(),
  credential_header: z
    .strictObject({
      name: headerName,
      prefix: z
        .string()
        .max(64)
        .regex(/^[\x20-\x7e]*$/, "is printable ASCII")
        .default(""),
    })
    .optional(),
  methods: z.array(z.enum(HTTP_METHODS)).min(1).max(HTTP_METHODS.length).optional(),
  path_prefixes: z
    .array(
      z.string().max(512).refine(isPlainPath, "is an absolute path without dot segments, query or fragment"),
    )
    .min(1)
    .max(64)
    .optional(),
};

/**
 * What one upstream wants otherwise than the rest, as the API shows it and the store keeps it. Times are in
 * milliseconds. None of it is secret: `extra_headers` are stored and shown as they are. Header names are lower case.
 * The last three are for kind `http`; without them it sends `Authorization: Bearer …` and publishes every method of
 * `HTTP_METHODS` at every path.
 */
export const providerOptions = z.strictObject(options).meta({ id: "ProviderOptions" });
export type ProviderOptions = Readonly<z.infer<typeof providerOptions>>;

/** A change of options: what is absent stays as it is, null removes it. */
export const providerOptionsChange = z
  .strictObject({
    ca_file: options.ca_file.nullable(),
    connect_timeout_ms: options.connect_timeout_ms.nullable(),
    headers_timeout_ms: options.headers_timeout_ms.nullable(),
    body_idle_timeout_ms: options.body_idle_timeout_ms.nullable(),
    extra_headers: options.extra_headers.nullable(),
    proxy: options.proxy.nullable(),
    credential_header: options.credential_header.nullable(),
    methods: options.methods.nullable(),
    path_prefixes: options.path_prefixes.nullable(),
  })
  .meta({ id: "ProviderOptionsChange" });
export type ProviderOptionsChange = Readonly<z.infer<typeof providerOptionsChange>>;

const ONLY_HTTP = ["credential_header", "methods", "path_prefixes"] as const;

/** The options after a change, checked for the provider's kind. Throws AppError `bad_request`. */
export function changedOptions(
  kind: ProviderKind,
  present: ProviderOptions,
  change: ProviderOptionsChange,
): ProviderOptions {
  const entries = Object.entries({ ...present, ...withoutUndefined(change) });
  const next = providerOptions.parse(Object.fromEntries(entries.filter(([, value]) => value !== null)));
  const foreign = ONLY_HTTP.find((name) => next[name] !== undefined);
  if (kind !== "http" && foreign !== undefined)
    throw new AppError("bad_request", `options.${foreign} is for providers of kind http.`);
  const credential = next.credential_header?.name;
  if (credential !== undefined && next.extra_headers?.[credential] !== undefined)
    throw new AppError("bad_request", "options.extra_headers holds the header of the credential.");
  return next;
}

/** Options as they were stored. */
export function storedOptions(text: string): ProviderOptions {
  return providerOptions.parse(JSON.parse(text));
}

function withoutUndefined(change: ProviderOptionsChange): Record<string, unknown> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function isProxyUrl(text: string): boolean {
  const url = URL.parse(text);
  const isBare = url !== null && url.pathname === "/" && !/[?#@\s\\]/.test(text);
  return isBare && url.protocol === "http:" && url.hostname !== "";
}

/** A prefix is compared with paths as they are sent: one in a spelling that is never sent would guard nothing. */
function isPlainPath(text: string): boolean {
  const isPlain = /^\/[\x21-\x7e]*$/.test(text) && !/[?#\\]|%2e|%2f|%5c|\/\//i.test(text);
  return isPlain && !text.split("/").some((segment) => segment === "." || segment === "..");
}
