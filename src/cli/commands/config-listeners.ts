import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const certificate = z.object({
  subject: z.string(),
  names: z.array(z.string()),
  addresses: z.array(z.string()),
  fingerprint: z.string(),
  not_before: z.string(),
  not_after: z.string(),
  days_left: z.number(),
  self_signed: z.boolean(),
});
const listener = z.object({
  name: z.string(),
  source: z.string(),
  state: z.enum(["listening", "not_listening"]),
  reason: z.string().nullable(),
  addresses: z.array(z.object({ configured: z.string(), bound: z.string().nullable() })),
  urls: z.array(z.string()),
  loopback_only: z.boolean(),
  auth: z.array(z.string()).nullable(),
  anonymous_permissions: z.string().nullable(),
  serve: z.array(z.string()),
  allowed_hosts: z.array(z.string()),
  allowed_origins: z.array(z.string()),
  tls: z.string(),
  certificates: z.array(certificate),
});
const listeners = z.object({ data: z.array(listener), refused: z.string().nullable() });
type ShownListener = z.infer<typeof listener>;

const COLUMNS = ["name", "source", "state", "addresses", "auth", "serve", "tls", "days_left"] as const;
const AUTH_OFF = "anyone (authentication is off)";

/** `config listeners`: where the server listens; what of the file could not be opened is told with the reason. */
export async function listListeners(context: CommandContext, flags: LocalFlags): Promise<void> {
  const { data, refused } = await askListeners(context, flags);
  const rows = data.map((row) => ({
    ...row,
    addresses: row.addresses.map(({ configured, bound }) => bound ?? configured).join(" "),
    auth: row.auth?.join(" ") ?? AUTH_OFF,
    serve: row.serve.join(" "),
    days_left:
      row.certificates.length === 0 ? null : Math.min(...row.certificates.map(({ days_left }) => days_left)),
  }));
  const output = context.output();
  output.table(COLUMNS, rows);
  for (const { name, reason } of data)
    if (reason !== null && reason !== refused) output.note(`${name}: ${reason}`);
  if (refused !== null) output.note(`the file is not in force as it is now:\n${refused}`);
}

/** `config listeners NAME`. Throws CliError 65 where none is called so. */
export async function showListener(context: CommandContext, name: string, flags: LocalFlags): Promise<void> {
  const { data } = await askListeners(context, flags);
  const found = data.find((row) => row.name === name);
  if (found === undefined)
    throw new CliError(`no listener is called ${name}`, {
      exitCode: EXIT.data,
      repair: `there are ${data.map((row) => row.name).join(", ")}`,
    });
  context.output().result(found, () => describeListener(found));
}

async function askListeners(context: CommandContext, flags: LocalFlags) {
  const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/listeners" });
  return listeners.parse(body);
}

function describeListener(row: ShownListener): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ["name", row.name],
    ["source", row.source],
    ["state", row.state === "listening" ? "listening" : `not listening: ${row.reason ?? "-"}`],
    ...row.addresses.map(({ configured, bound }) => ["address", addressText(configured, bound)] as const),
    ...row.urls.map((url) => ["URL", url] as const),
    ["reached from", row.loopback_only ? "this machine alone" : "other machines too"],
    ["who enters", row.auth?.join(" ") ?? AUTH_OFF],
    ["anonymous may", row.anonymous_permissions],
    ["serves", row.serve.join(" ")],
    ["hosts", row.allowed_hosts.join(" ") || null],
    ["origins", row.allowed_origins.join(" ") || null],
    ["TLS", row.tls],
    ...row.certificates.flatMap(certificateLines),
  ];
  const shown = lines.filter(([, value]) => value !== null);
  return shown.map(([label, value]) => `${`${label}:`.padEnd(14)} ${value}`).join("\n");
}

function addressText(configured: string, bound: string | null): string {
  if (bound === null) return `${configured}, not open`;
  return bound === configured ? bound : `${configured}, bound to ${bound}`;
}

function certificateLines(one: z.infer<typeof certificate>): (readonly [string, string])[] {
  const left = one.days_left < 0 ? "expired" : `${one.days_left} days left`;
  return [
    ["certificate", `${one.subject}${one.self_signed ? ", self-signed" : ""}`],
    ["  for", [...one.names, ...one.addresses].join(" ") || "no name"],
    ["  SHA-256", one.fingerprint],
    ["  valid", `${one.not_before} to ${one.not_after}, ${left}`],
  ];
}
