import type { AuditFilter } from "./api/list-audit.ts";

/** What the fields of the filter hold; times as the browser's field for a local time has them, empty for none. */
export interface FilterFields {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly since: string;
  readonly until: string;
}

export const NO_FILTER: FilterFields = {
  actor: "",
  action: "",
  target: "",
  outcome: "",
  since: "",
  until: "",
};

export const OUTCOMES = ["success", "failure", "denied"] as const;

/** The same as the server is asked; what is empty is left out. */
export function filterOf(fields: FilterFields): AuditFilter {
  const outcome = OUTCOMES.find((each) => each === fields.outcome);
  return {
    ...(fields.actor.trim() !== "" && { actor: fields.actor.trim() }),
    ...(fields.action.trim() !== "" && { action: fields.action.trim() }),
    ...(fields.target.trim() !== "" && { target: fields.target.trim() }),
    ...(outcome !== undefined && { outcome }),
    ...(fields.since !== "" && { since: new Date(fields.since).toISOString() }),
    ...(fields.until !== "" && { until: new Date(fields.until).toISOString() }),
  };
}
