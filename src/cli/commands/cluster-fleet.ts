import { confirm, isCancel } from "@clack/prompts";
import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const PATH = "/api/v1/cluster";
const lockedNodes = z.object({
  data: z.array(
    z.object({ id: z.string(), name: z.string(), locked: z.boolean(), reason: z.string().nullable() }),
  ),
});
const left = z.object({
  cluster_id: z.string().nullable(),
  not_told: z.array(z.object({ id: z.string(), name: z.string() })),
});

/** `cluster lock`: 75 where a node could not be reached, 1 where one has no server key to lock it with. */
export function lockFleetCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const { body } = await callLocal(context, flags, { method: "POST", path: `${PATH}/lock` });
    const { data } = lockedNodes.parse(body);
    const open = data.filter(({ locked }) => !locked);
    if (open.length > 0)
      context.setExit(open.every(({ reason }) => reason === "no_server_key") ? EXIT.failed : EXIT.tryAgain);
    const output = context.output();
    output.table(["name", "locked", "reason", "id"], data);
    if (open.length > 0) output.note(`not locked: ${open.map(({ name }) => name).join(", ")}`);
  });
}

/** `cluster leave`: 1 where it was not agreed to, 64 where nobody can be asked. */
export function leaveCommand(command: Command, context: CommandContext): void {
  command.option("--yes", "without asking").action(async (flags: LocalFlags & { readonly yes?: boolean }) => {
    if (flags.yes !== true) await requireAgreement();
    const { body } = await callLocal(context, flags, { method: "POST", path: `${PATH}/leave` });
    const done = left.parse(body);
    const output = context.output();
    output.result(done, () => `this server left ${done.cluster_id ?? "its cluster"}`);
    const names = done.not_told.map(({ name }) => name);
    if (names.length > 0)
      output.note(`not told: ${names.join(", ")}. Where they still list it: claviger cluster remove NODE`);
  });
}

async function requireAgreement(): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CliError("leaving a cluster removes this server's credential files", {
      exitCode: EXIT.usage,
      repair: "if that is meant: claviger cluster leave --yes",
    });
  const message = "Leave the cluster, and remove this server's credential files?";
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  if (isCancel(answer) || !answer)
    throw new CliError("cancelled; nothing was changed", { exitCode: EXIT.failed });
}
