import type { AuditReport } from "#gates/audit/index.ts";
import { loadConfig } from "#platform/config/load.ts";
import { readAuditSecret } from "#platform/config/secrets.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";

export interface VerifyFlags extends LocalFlags {
  readonly from?: number;
  readonly to?: number;
  readonly known?: { readonly seq: number; readonly hash: string };
}

/** `audit verify`: 0 whole, 1 tampered with, 65 a store that cannot be read, 78 without the secret of the chain. */
export async function verifyCommand(context: CommandContext, flags: VerifyFlags): Promise<void> {
  const places = flags.dataDir === undefined ? {} : { dataDir: flags.dataDir };
  const { dataDir } = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  const secret = readAuditSecret(dataDir);
  if (secret === undefined)
    throw new CliError(`there is no audit secret in ${dataDir}, so no record can be checked`, {
      exitCode: EXIT.configuration,
      repair: "name the server's data directory: --data-dir DIR",
    });
  // Only here, so that no other command of this machine loads what opens a store.
  const { verifyAudit } = await import("#gates/audit/index.ts");
  const output = context.output();
  const { from, to, known } = flags;
  const report = verifyAudit({
    ...{ dataDir, secret, from, to, known },
    onProgress: (done, total) => output.progress(bar(done, total)),
  });
  output.progress("");
  if (!report.whole) context.setExit(EXIT.failed);
  output.result(report, () => describe(report).join("\n"));
}

function describe(report: AuditReport): string[] {
  const { chain, rows, first, last, checkpoints, since, anchored, findings, more_findings: more } = report;
  const range = first === null ? "" : `, rows ${first} to ${last}`;
  const looked = `${counted(rows, "record")}${range}, ${counted(checkpoints, "checkpoint")}`;
  const verdict = report.whole ? "whole" : "tampered with";
  return [
    `${verdict}: ${looked}`,
    ...findings.map(({ text }) => `  ${text}`),
    ...(more === 0 ? [] : [`  and ${counted(more, "more place")}`]),
    `chain ${chain}${since === null ? "" : ` since ${since}`}, anchored at row ${anchored ?? "none"}`,
    `public key ${report.public_key}`,
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const BAR_WIDTH = 30;

function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  return `checking [${"#".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH)}] ${done} of ${total}`;
}
