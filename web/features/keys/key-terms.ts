import type { Operations, Schemas } from "#lib/api-types.ts";
import { LIMITS } from "#lib/limits.ts";
import type { Key } from "./key-state.ts";

type LimitName = (typeof LIMITS)[number]["name"];

/** What the form of a key holds; called as in the API, so that the server's refusals find their fields. */
export interface KeyForm {
  readonly name: string;
  readonly permissions: string[];
  readonly models: string[];
  readonly allowed_ips: string[];
  /** As the browser's field for a local time has it, empty for none. */
  readonly expires_at: string;
  readonly limits: Readonly<Record<LimitName, number | string>>;
}

export const KEY_FIELDS = [
  "name",
  "permissions",
  "models",
  "allowed_ips",
  "expires_at",
  ...LIMITS.map(({ name }) => `limits.${name}`),
] as const;

export function formOf(key: Key | null): KeyForm {
  return {
    name: key?.name ?? "",
    permissions: [...(key?.permissions ?? ["gateway"])],
    models: [...(key?.models ?? [])],
    allowed_ips: [...(key?.allowed_ips ?? [])],
    expires_at: key?.expires_at == null ? "" : localTime(key.expires_at),
    limits: limitsOf((name) => key?.limits[name] ?? ""),
  };
}

/** The body that makes a key of it: what was left empty is left out. */
export function newKey(form: KeyForm): Schemas["NewKey"] {
  const limits = Object.fromEntries(
    Object.entries(form.limits).flatMap(([name, value]) => numbered(name, value)),
  );
  return {
    name: form.name,
    permissions: form.permissions,
    ...(form.models.length > 0 && { models: form.models }),
    ...(form.allowed_ips.length > 0 && { allowed_ips: form.allowed_ips }),
    ...(form.expires_at !== "" && { expires_at: new Date(form.expires_at).toISOString() }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

/** The body that makes an existing key be so: what was left empty is removed. */
export function changedKey(form: KeyForm): Operations["PATCH /api/v1/keys/{id}"]["body"] {
  return {
    name: form.name,
    permissions: form.permissions,
    models: form.models.length > 0 ? form.models : null,
    allowed_ips: form.allowed_ips.length > 0 ? form.allowed_ips : null,
    expires_at: form.expires_at === "" ? null : new Date(form.expires_at).toISOString(),
    limits: limitsOf((name) => (form.limits[name] === "" ? null : Number(form.limits[name]))),
  };
}

function limitsOf<Value>(of: (name: LimitName) => Value): Record<LimitName, Value> {
  return {
    requests_per_minute: of("requests_per_minute"),
    concurrency: of("concurrency"),
    tokens_per_minute: of("tokens_per_minute"),
    tokens_per_day: of("tokens_per_day"),
    spend_usd_per_month: of("spend_usd_per_month"),
  };
}

function numbered(name: string, value: number | string): [string, number][] {
  return value === "" ? [] : [[name, Number(value)]];
}

/** `2026-11-22T03:14` in the reader's zone. */
function localTime(at: string): string {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
