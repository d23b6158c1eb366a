import { isProblem } from "#lib/api-problem.ts";
import type { Schemas } from "#lib/api-types.ts";
import { fieldErrors } from "#lib/form-errors.ts";
import { isKind, type Kind } from "./kinds.ts";

export type Provider = Schemas["Provider"];
type Options = Schemas["ProviderOptionsInput"];
type Method = NonNullable<Options["methods"]>[number];

export const METHODS: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
export const TIMEOUTS = [
  { name: "connect_timeout_ms", label: "To connect", usual: 10_000, most: 120_000 },
  { name: "headers_timeout_ms", label: "To answer", usual: 600_000, most: 3_600_000 },
  { name: "body_idle_timeout_ms", label: "Between pieces", usual: 300_000, most: 3_600_000 },
] as const;

/** What the form of a provider holds, but for its credentials; called as in the API. */
export interface ProviderForm {
  readonly name: string;
  readonly kind: Kind;
  /** Empty for the one its kind has. */
  readonly base_url: string;
  readonly options: {
    readonly ca_file: string;
    readonly proxy: string;
    readonly connect_timeout_ms: number | string;
    readonly headers_timeout_ms: number | string;
    readonly body_idle_timeout_ms: number | string;
    /** A line each: `name: value`. */
    readonly extra_headers: string;
    /** `name: prefix`, empty for the usual one. */
    readonly credential_header: { readonly name: string; readonly prefix: string };
    readonly methods: string[];
    readonly path_prefixes: string[];
  };
}

const FIELDS = [
  ...["name", "kind", "base_url", "credentials"],
  ...["options.ca_file", "options.proxy", "options.extra_headers", "options.methods"],
  ...["options.credential_header.name", "options.credential_header.prefix", "options.path_prefixes"],
  ...TIMEOUTS.map(({ name }) => `options.${name}`),
];

export function formOf(provider: Provider | null): ProviderForm {
  const options = provider?.options ?? {};
  return {
    name: provider?.name ?? "",
    kind: provider !== null && isKind(provider.kind) ? provider.kind : "openai",
    base_url: provider?.base_url ?? "",
    options: {
      ca_file: options.ca_file ?? "",
      proxy: options.proxy ?? "",
      connect_timeout_ms: options.connect_timeout_ms ?? "",
      headers_timeout_ms: options.headers_timeout_ms ?? "",
      body_idle_timeout_ms: options.body_idle_timeout_ms ?? "",
      extra_headers: Object.entries(options.extra_headers ?? {})
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
      credential_header: options.credential_header ?? { name: "", prefix: "" },
      methods: [...(options.methods ?? [])],
      path_prefixes: [...(options.path_prefixes ?? [])],
    },
  };
}

/** The body that makes a provider of it: what was left empty is left out. */
export function newProvider(form: ProviderForm, credentials: readonly string[]): Schemas["NewProvider"] {
  return {
    name: form.name,
    kind: form.kind,
    ...(form.base_url !== "" && { base_url: form.base_url }),
    options: optionsOf(form),
    credentials: credentials.map(asCredential),
  };
}

/** The body that makes an existing provider be so: what was left empty is removed, and credentials stay. */
export function changedProvider(
  form: ProviderForm,
  credentials: readonly string[],
): Schemas["ProviderChange"] {
  const options = optionsOf(form);
  const isHttp = form.kind === "http";
  return {
    ...(form.base_url !== "" && { base_url: form.base_url }),
    options: {
      ca_file: options.ca_file ?? null,
      proxy: options.proxy ?? null,
      connect_timeout_ms: options.connect_timeout_ms ?? null,
      headers_timeout_ms: options.headers_timeout_ms ?? null,
      body_idle_timeout_ms: options.body_idle_timeout_ms ?? null,
      extra_headers: options.extra_headers ?? null,
      ...(isHttp && {
        credential_header: options.credential_header ?? null,
        methods: options.methods ?? null,
        path_prefixes: options.path_prefixes ?? null,
      }),
    },
    ...(credentials.length > 0 && { credentials: credentials.map(asCredential) }),
  };
}

/** What the server found wrong, by the fields of the form; null where it is to be shown whole. */
export function providerErrors(error: unknown): Record<string, string> | null {
  const named = fieldErrors(error, FIELDS);
  if (named !== null || !isProblem(error, "bad_request", "base_url_denied")) return named;
  const field = ["options.proxy", "base_url"].find((each) => error.message.startsWith(each));
  return field === undefined ? null : { [field]: error.message };
}

export function asCredential(value: string) {
  return { type: "api_key", value } as const;
}

function optionsOf({ kind, options }: ProviderForm): Options {
  const { ca_file, proxy, extra_headers, credential_header, path_prefixes } = options;
  const headers = headersOf(extra_headers);
  const methods = METHODS.filter((method) => options.methods.includes(method));
  return {
    ...(ca_file !== "" && { ca_file }),
    ...(proxy !== "" && { proxy }),
    ...(options.connect_timeout_ms !== "" && { connect_timeout_ms: Number(options.connect_timeout_ms) }),
    ...(options.headers_timeout_ms !== "" && { headers_timeout_ms: Number(options.headers_timeout_ms) }),
    ...(options.body_idle_timeout_ms !== "" && {
      body_idle_timeout_ms: Number(options.body_idle_timeout_ms),
    }),
    ...(headers !== null && { extra_headers: headers }),
    ...(kind === "http" && {
      ...(credential_header.name !== "" && { credential_header }),
      ...(methods.length > 0 && { methods }),
      ...(path_prefixes.length > 0 && { path_prefixes }),
    }),
  };
}

/** `name: value` a line; a line without a colon is a name that the server refuses by its value. */
function headersOf(text: string): Record<string, string> | null {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) return null;
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.includes(":") ? line.indexOf(":") : line.length;
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}
