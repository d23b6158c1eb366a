/** The limits of keys and identities, as a form asks for them and as a table shows them. */
export const LIMITS = [
  { name: "requests_per_minute", label: "Requests a minute", unit: "count", short: "req/min" },
  { name: "concurrency", label: "Requests at once", unit: "count", short: "at once" },
  { name: "tokens_per_minute", label: "Tokens a minute", unit: "tokens", short: "tok/min" },
  { name: "tokens_per_day", label: "Tokens a day", unit: "tokens", short: "tok/day" },
  { name: "spend_usd_per_month", label: "US dollars a month", unit: "usd", short: "/month" },
] as const;
