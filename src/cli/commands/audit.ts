import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { showChain } from "./audit-chain.ts";
import { type ExportFlags, exportAudit, type TailFlags, tailAudit } from "./audit-rows.ts";
import { type VerifyFlags, verifyCommand } from "./audit-verify.ts";
import type { LocalFlags } from "./local-server.ts";

/** `claviger audit verify | export | tail | chain`: checks the records, and gives them out. */
export function auditCommands(program: Command, context: CommandContext): void {
  const audit = program.command("audit").description("check, export and follow the records of what happened");
  audit
    .command("verify")
    .description("check that no record was changed, removed or put in; needs no server, works beside one")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--from <row>", "begin at the row of this number", rowNumber)
    .option("--to <row>", "end at the row of this number", rowNumber)
    .option("--known <row:hash>", "a row and its hash as they were once logged", knownRow)
    .option("--json", "print JSON")
    .action((flags: VerifyFlags) => verifyCommand(context, flags));
  withFilters(audit.command("export").description("print every record that fits, the oldest first"))
    .addOption(
      new Option("--format <format>", "one JSON object a line, or CSV (RFC 4180)")
        .choices(["jsonl", "csv"])
        .default("jsonl"),
    )
    .action((flags: ExportFlags) => exportAudit(context, flags));
  withFilters(audit.command("tail").description("print the newest records, the newest last"))
    .option("-n, --lines <count>", "how many", rowNumber, 10)
    .option("-f, --follow", "go on with those that come")
    .option("--json", "print JSON, one object a line")
    .action((flags: TailFlags) => tailAudit(context, flags));
  audit
    .command("chain")
    .description("show where the chain of records is, and the public key of its checkpoints")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action((flags: LocalFlags) => showChain(context, flags));
}

function withFilters(command: Command): Command {
  return command
    .option("--actor <id>", "only what this principal did: an id, or local")
    .option("--action <action>", "only this action: key.create")
    .option("--target <target>", "only what was done to this")
    .addOption(new Option("--outcome <outcome>", "only this").choices(["success", "failure", "denied"]))
    .option("--since <time>", "from this day or moment on, such as 2026-11-01")
    .option("--until <time>", "before this day or moment")
    .option("--data-dir <dir>", "the server's data directory");
}

function rowNumber(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new InvalidArgumentError("A whole number from 1 on is needed.");
  return Number(text);
}

function knownRow(text: string): { seq: number; hash: string } {
  const [, seq, hash] = /^([1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new InvalidArgumentError("The number of a row, a colon and 64 hexadecimal digits are needed.");
  return { seq: Number(seq), hash };
}
