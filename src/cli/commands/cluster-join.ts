import type { Command } from "commander";
import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { remoteUrl } from "../server-flags.ts";
import { chooseMember } from "./cluster-discover.ts";
import { type Agreement, agreementOf, listenerLines, offerListener } from "./cluster-listener.ts";
import { askKey } from "./key-prompts.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const PATH = "/api/v1/cluster";
/** Two connections and the stretching of the PIN, on a small machine. */
const JOIN_DEADLINE_MS = 180_000;

const joined = z.object({ cluster_id: z.string() });
const opened = z.object({ joining_open_until: z.string() });

/** `cluster join URL`. */
export function joinCommand(command: Command, context: CommandContext): void {
  command.action(async (url: string | undefined, flags: JoinFlags) =>
    joinMember(context, flags, url ?? (await chooseMember(context))),
  );
}

/** The flags of `cluster join`; `yes`: write a listener where there is none. */
type JoinFlags = LocalFlags & { readonly yes?: boolean };

/**
 * Asks for the PIN, offers a listener for the others, and joins. CliError 2 for a refused PIN or URL, 3 for a wrong PIN,
 * 4 where joining is closed there.
 */
export async function joinMember(context: CommandContext, flags: JoinFlags, url: string): Promise<void> {
  requireHttps(url);
  const pin = await askKey("PIN of the cluster");
  const done = await joinWith(context, flags, { url, pin, agrees: agreementOf(flags) });
  context
    .output()
    .result(done, () =>
      [`this server is a member of ${done.cluster_id}`, ...listenerLines(done.listener)].join("\n"),
    );
}

/** Offers a listener for the others, and joins. CliError as `joinMember`. */
export async function joinWith(
  context: CommandContext,
  flags: LocalFlags,
  { url, pin, agrees }: { readonly url: string; readonly pin: Secret; readonly agrees: Agreement },
) {
  requireHttps(url);
  // Before it joins: the members pin the keys that a server has then. Another machine's file is not ours to write.
  const here = remoteUrl(context) === undefined;
  const listener = here ? await offerListener(context, flags, agrees) : undefined;
  const body = { url, pin: pin.expose() };
  const call = { method: "POST", path: `${PATH}/join`, body, deadlineMs: JOIN_DEADLINE_MS } as const;
  const answer = await callLocal(context, flags, call).catch((error: unknown) => {
    throw toldByCode(error);
  });
  return { ...joined.parse(answer.body), ...(listener && { listener }) };
}

function requireHttps(url: string): void {
  if (/^https:\/\//i.test(url)) return;
  throw new CliError("a member's URL is https://HOST:PORT", {
    exitCode: EXIT.refusedValue,
    repair:
      "joining is over TLS only; a member's listener with tls is on port 8442 unless it was put elsewhere",
  });
}

/** `cluster open`: others may join for 15 minutes. */
export function openCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const { body } = await callLocal(context, flags, { method: "POST", path: `${PATH}/open` });
    const done = opened.parse(body);
    context.output().result(done, () => `joining is open until ${done.joining_open_until}, for 20 tries`);
  });
}

const BY_CODE: Readonly<Record<string, { readonly exitCode: number; readonly repair?: string }>> = {
  bad_request: { exitCode: EXIT.refusedValue },
  pin_refused: { exitCode: EXIT.refusedValue },
  wrong_pin: { exitCode: EXIT.wrongPin },
  joining_closed: { exitCode: EXIT.joiningClosed, repair: "on a member: claviger cluster open" },
  join_busy: { exitCode: EXIT.tryAgain, repair: "wait a minute, and try again" },
};

function toldByCode(error: unknown): unknown {
  if (!(error instanceof CliError) || error.problem === undefined) return error;
  const { problem, message } = error;
  const told = Object.hasOwn(BY_CODE, problem.code) ? BY_CODE[problem.code] : undefined;
  return told === undefined ? error : new CliError(message, { ...told, problem });
}
