import type { AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";

/** What a new server is led through, in this order, after its first password. */
export const FIRST_STEPS = ["server_key", "cluster", "provider", "key", "tool"] as const;
type FirstStep = (typeof FIRST_STEPS)[number];

/** How far a new server's owner is: whether he is still led, and what he left out; what is done the rest of the server tells. */
export interface FirstRunState {
  readonly open: boolean;
  readonly skipped: readonly FirstStep[];
}

const PREFIX = "first-run.";
const BEGUN: FirstRunState = { open: true, skipped: [] };

/** The first run as the store has it; one that knows of none was set up before there was one. */
export class FirstRun {
  readonly #database: Database;
  readonly #audit: Pick<AuditRecorder, "append">;

  constructor(parts: { readonly database: Database; readonly audit: Pick<AuditRecorder, "append"> }) {
    this.#database = parts.database;
    this.#audit = parts.audit;
  }

  async read(): Promise<FirstRunState> {
    const facts = await readMeta(this.#database.query, PREFIX);
    const skipped = new Set((facts.get("skipped") ?? "").split(","));
    return {
      open: facts.get("open") === "true",
      skipped: FIRST_STEPS.filter((step) => skipped.has(step)),
    };
  }

  /** Writes it, with its record of the audit log. */
  async write(state: FirstRunState, { principal, address, requestId }: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (query) => {
      await writeState(query, state);
      await this.#audit.append(query, {
        actor: callerId(principal),
        action: "first_run.change",
        target: state.open ? "open" : "ended",
        outcome: "success",
        address,
        requestId,
        count: 1,
      });
    });
  }
}

/** Begins the first run of a store that is made now. */
export function beginFirstRun(query: Query): Promise<void> {
  return writeState(query, BEGUN);
}

function writeState(query: Query, { open, skipped }: FirstRunState): Promise<void> {
  const facts = { open: String(open), skipped: skipped.join(",") };
  return writeMeta(query, PREFIX, new Map(Object.entries(facts)));
}
