import * as z from "zod";
import { HOP_BY_HOP } from "../headers.ts";

const MAX_EXTRA_HEADERS = 32;

/** Set by the client of the upstream or taken from the request, so that no option may decide over them. */
const NEVER_SET = new Set([
  ...HOP_BY_HOP,
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "expect",
  "cookie",
]);

/** What may hold a secret belongs into a credential, which is sealed. */
const FOR_CREDENTIALS = new Set([
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "x-auth-token",
  "x-amz-security-token",
]);

/** The name of a header that an option may set, made lower case. */
export const headerName = z
  .string()
  .max(64)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is not the name of a header")
  .toLowerCase()
  .refine((name) => !NEVER_SET.has(name), "is a header that this server sets itself");

const extraHeaderName = headerName.refine(
  (name) => !FOR_CREDENTIALS.has(name),
  "is a header for a credential; set a credential",
);

const headerText = z
  .string()
  .max(2048)
  .regex(/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/, "is printable ASCII without spaces at its ends");

/** Headers sent with every request to an upstream: name to value. Not for secrets: they are stored and shown as they are. */
export const extraHeaders = z
  .record(z.string(), z.unknown())
  .refine(
    (headers) => Object.keys(headers).length <= MAX_EXTRA_HEADERS,
    `holds more than ${MAX_EXTRA_HEADERS}`,
  )
  .refine(hasDistinctNames, "holds a header twice")
  .pipe(z.record(extraHeaderName, headerText));

function hasDistinctNames(headers: Record<string, unknown>): boolean {
  const names = Object.keys(headers);
  return new Set(names.map((name) => name.toLowerCase())).size === names.length;
}
