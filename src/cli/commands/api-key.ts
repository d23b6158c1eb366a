import type { Command } from "commander";
import * as z from "zod";
import { generateApiKey, publicHash, verifyPublicHash } from "#identity/keys/index.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const created = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
});
const keyRow = z.object({
  id: z.string(),
  name: z.string(),
  last4: z.string(),
  permissions: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});
type CreateFlags = LocalFlags & {
  permissions: string[];
  requestsPerMinute?: string;
  concurrency?: string;
  tokensPerMinute?: string;
  tokensPerDay?: string;
  spendUsdPerMonth?: string;
};
const keyPage = z.object({ data: z.array(keyRow), next_cursor: z.string().nullable() });

/** `claviger api-key generate | validate | create | list | revoke`. */
export function apiKeyCommands(program: Command, context: CommandContext): void {
  const group = program.command("api-key").description("keys that programs present to this server");
  group
    .command("generate")
    .description("make a key and its public hash; no server is needed and nothing is stored")
    .option("--json", "print JSON")
    .action(() => generate(context));
  group
    .command("validate <hash>")
    .description("tell whether a key belongs to a public hash; the key is asked for, or read from stdin")
    .option("--key <key>", "the key (visible to other users of this machine)")
    .option("--json", "print JSON")
    .action(async (hash: string, flags: { key?: string }) => validate(context, hash, flags.key));
  const onServer = (command: Command) =>
    command.option("--data-dir <dir>", "the server's data directory").option("--json", "print JSON");
  onServer(group.command("create <name>").description("issue a key; it is shown this once"))
    .option("--permissions <set...>", "permission sets", ["gateway"])
    .option("--requests-per-minute <n>", "how many requests the key may make a minute")
    .option("--concurrency <n>", "how many of its requests may run at once")
    .option("--tokens-per-minute <n>", "how many tokens it may use a minute")
    .option("--tokens-per-day <n>", "how many tokens it may use a day (UTC)")
    .option("--spend-usd-per-month <usd>", "how much it may spend a month (UTC), in US dollars")
    .action(async (name: string, flags: CreateFlags) => {
      const issued = created.parse(
        (
          await callLocal(context, flags, {
            method: "POST",
            path: "/api/v1/keys",
            body: { name, permissions: flags.permissions, limits: limitsOf(flags) },
          })
        ).body,
      );
      context
        .output()
        .result(
          issued,
          () => `${issued.key}\n\nThis is the only time the key is shown. Its id is ${issued.id}.`,
        );
    });
  onServer(group.command("list").description("list the keys")).action(async (flags: LocalFlags) => {
    const { data } = keyPage.parse(
      (await callLocal(context, flags, { method: "GET", path: "/api/v1/keys?limit=1000" })).body,
    );
    const rows = data.map((row) => ({
      ...row,
      permissions: row.permissions.join(" "),
      limits: Object.entries(row.limits)
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
    }));
    const columns = ["id", "name", "last4", "permissions", "limits", "created_at", "last_used_at"] as const;
    context.output().table([...columns, "revoked_at"], rows);
  });
  onServer(
    group
      .command("revoke <id>")
      .description("revoke a key: its next request is refused, its running answers end"),
  ).action(async (id: string, flags: LocalFlags) => {
    await callLocal(context, flags, { method: "DELETE", path: `/api/v1/keys/${encodeURIComponent(id)}` });
    context.output().result({ revoked: id }, () => `key ${id} revoked`);
  });
}

/** What is no number goes as it was written, and the server says what is wrong with it. */
function limitsOf(flags: CreateFlags): Record<string, number | string | undefined> {
  const read = (text: string | undefined) =>
    text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return {
    requests_per_minute: read(flags.requestsPerMinute),
    concurrency: read(flags.concurrency),
    tokens_per_minute: read(flags.tokensPerMinute),
    tokens_per_day: read(flags.tokensPerDay),
    spend_usd_per_month: read(flags.spendUsdPerMonth),
  };
}

function generate(context: CommandContext): void {
  const { key } = generateApiKey(systemRandom);
  const pair = { private_key: key.expose(), public_hash: publicHash(key) };
  context
    .output()
    .result(
      pair,
      () => `Generated Private Key: ${pair.private_key}\nSecure Public Hash: ${pair.public_hash}`,
    );
}

async function validate(context: CommandContext, hash: string, given: string | undefined): Promise<void> {
  const secret =
    given ??
    (
      await readSecret({ label: "Key", input: process.stdin, isTerminal: process.stdin.isTTY === true })
    ).expose();
  const key = secret.trim();
  const output = context.output();
  if (key !== secret) output.note("White space around the key was ignored.");
  const verdict = await verifyPublicHash(hash, new Secret(key));
  if ("malformed" in verdict) {
    context.setExit(EXIT.refusedValue);
    output.result(
      { valid: false, malformed: verdict.malformed },
      () => `The hash is malformed: ${verdict.malformed}`,
    );
    return;
  }
  if (!verdict.valid) context.setExit(EXIT.failed);
  output.result(verdict, () => (verdict.valid ? "Key is valid" : `Key is NOT valid: ${verdict.reason}`));
}
