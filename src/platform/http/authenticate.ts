import { AppError } from "../lib/error.ts";
import { channelBindingOf } from "./channel-binding.ts";
import type { ClientRequest } from "./client-request.ts";
import { anonymousAt, mayEnter } from "./entry.ts";
import type { Exchange } from "./exchange.ts";
import type { Gates } from "./pipeline.ts";
import type { Caller, RefusalReason, Service, SessionGate, Verdict } from "./ports.ts";
import { hasCredentialInQuery, type RequestHead } from "./request-head.ts";

const LOCAL: Caller = { kind: "local" };

/**
 * Judges what was presented; afterwards `exchange.caller` is set. Gives a promise where a credential takes long to judge.
 * Throws AppError.
 */
export function authenticate(
  gates: Gates,
  exchange: Exchange,
  request: ClientRequest,
  { head, service }: { head: RequestHead; service: Service | "probe" },
): Promise<void> | undefined {
  if (head.conflict) throw new AppError("credential_conflict");
  const inUrl = hasCredentialInQuery(request.url ?? "");
  const { listener, address } = exchange;
  if (exchange.route?.family === "node") {
    identifyNode(gates, exchange, request, inUrl);
  } else if (listener.kind === "control") {
    exchange.caller = LOCAL;
  } else if (gates.sessions !== undefined && head.credential === undefined && head.session !== undefined) {
    // Whoever presents a key too is judged by that.
    return identifyPerson(gates, exchange, { sessions: gates.sessions, cookie: head.session, inUrl });
  } else {
    // Asked of everyone: what only who presents nothing passed through would be slower for him, and so tell of it.
    const presents = head.credential !== undefined || inUrl;
    exchange.caller = anonymousAt(listener, { head, address, service, presents });
    if (exchange.caller === undefined) {
      const verdict = gates.authenticator.authenticate(head.credential, exchange);
      if (verdict instanceof Promise)
        return verdict.then((settled) => identified(gates, exchange, settled, inUrl));
      identified(gates, exchange, verdict, inUrl);
      return undefined;
    }
  }
  if (inUrl) throw new AppError("credential_in_url");
  return undefined;
}

async function identifyPerson(
  gates: Gates,
  exchange: Exchange,
  { sessions, cookie, inUrl }: { sessions: SessionGate; cookie: string; inUrl: boolean },
): Promise<void> {
  const verdict = await sessions.authenticate(cookie, exchange);
  identified(gates, exchange, verdict, inUrl);
  if ("renewed" in verdict) exchange.cookie = verdict.renewed;
}

/** By what only a node has: no other credential is looked at, and it is none of theirs. */
function identifyNode(gates: Gates, exchange: Exchange, request: ClientRequest, inUrl: boolean): void {
  const verdict = gates.nodes?.authenticate(request.headers.authorization, channelBindingOf(request)) ?? {
    refused: "unknown",
  };
  if ("answer" in verdict) exchange.proof = verdict.answer;
  identified(gates, exchange, verdict, inUrl);
}

/** One who may not come in by this listener costs and is told what a wrong credential is. */
function identified(gates: Gates, exchange: Exchange, verdict: Verdict, inUrl: boolean): void {
  if (!("caller" in verdict) || !mayEnter(exchange.listener.entry, verdict.caller)) {
    const reason = "refused" in verdict ? verdict.refused : "not_here";
    exchange.refusal = reason;
    throw wrongCredential(gates, exchange, reason);
  }
  exchange.caller = verdict.caller;
  if (inUrl) throw new AppError("credential_in_url");
}

/**
 * By the limit of its address or as every wrong one. It is judged first, whatever the address did, for a right one
 * passes: what costs little to judge needs no door in front. Who presents nothing has tried nothing, and waits as long
 * for his answer.
 */
function wrongCredential(
  { addressLimit }: Gates,
  { address, time }: Exchange,
  reason: RefusalReason,
): AppError {
  if (address === null) return new AppError("invalid_token");
  const tried = reason !== "missing";
  const waitS = tried ? addressLimit.failed(address, time) : addressLimit.waitS(address, time);
  if (waitS === undefined || !tried) return new AppError("invalid_token");
  const words = "Too many wrong credentials came from this address.";
  return new AppError("rate_limited", words, { retryAfterS: waitS });
}
