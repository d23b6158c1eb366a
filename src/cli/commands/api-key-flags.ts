import { type Command, InvalidArgumentError } from "commander";
import { systemClock, toTimestamp } from "#platform/lib/clock.ts";
import { CliError, EXIT } from "../exit-codes.ts";

/** What a command line says about the terms of a key. */
export interface TermFlags {
  readonly models?: readonly string[];
  readonly allowedIps?: readonly string[];
  readonly expiresAt?: string;
  readonly expiresIn?: number;
  readonly requestsPerMinute?: string;
  readonly concurrency?: string;
  readonly tokensPerMinute?: string;
  readonly tokensPerDay?: string;
  readonly spendUsdPerMonth?: string;
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Adds the flags that `termsOf` reads. */
export function withTermFlags(command: Command): Command {
  return command
    .option("--models <pattern...>", "only for these: PROVIDER/MODEL or x/API, * for any text")
    .option("--allowed-ips <address...>", "only from these addresses and ranges: 10.0.0.0/8 ::1")
    .option("--expires-at <time>", "when it ends: 2027-01-31T00:00:00Z")
    .option("--expires-in <duration>", "after how long it ends: 12h, 30d", durationMs)
    .option("--requests-per-minute <n>", "how many requests the key may make a minute")
    .option("--concurrency <n>", "how many of its requests may run at once")
    .option("--tokens-per-minute <n>", "how many tokens it may use a minute")
    .option("--tokens-per-day <n>", "how many tokens it may use a day (UTC)")
    .option("--spend-usd-per-month <usd>", "how much it may spend a month (UTC), in US dollars");
}

/** The terms as the API takes them, those of flags that were given. Throws CliError 64 where two contradict. */
export function termsOf(flags: TermFlags): Record<string, unknown> {
  if (flags.expiresAt !== undefined && flags.expiresIn !== undefined)
    throw new CliError("give --expires-at or --expires-in, not both", { exitCode: EXIT.usage });
  const until = flags.expiresIn === undefined ? undefined : toTimestamp(systemClock.now() + flags.expiresIn);
  const limits = given({
    requests_per_minute: read(flags.requestsPerMinute),
    concurrency: read(flags.concurrency),
    tokens_per_minute: read(flags.tokensPerMinute),
    tokens_per_day: read(flags.tokensPerDay),
    spend_usd_per_month: read(flags.spendUsdPerMonth),
  });
  return given({
    models: flags.models,
    allowed_ips: flags.allowedIps,
    expires_at: flags.expiresAt ?? until,
    limits: Object.keys(limits).length === 0 ? undefined : limits,
  });
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** What is no number goes as it was written, and the server says what is wrong with it. */
function read(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function durationMs(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit);
  if (unitMs === undefined) throw new InvalidArgumentError("It is a number with s, m, h or d: 30d.");
  return Number(count) * unitMs;
}
