/** What a number is of; each has its own way to be short and to be exact. */
export type Unit = "count" | "tokens" | "usd" | "bytes" | "ms" | "share";

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Short, as it stands in a table: `1.2M`, `$0.0042`, `3.4 MiB`, `850 ms`; a part of 1 as `4.2 %`. */
export function shortQuantity(value: number, unit: Unit): string {
  switch (unit) {
    case "count":
    case "tokens":
      return format(value, { notation: "compact", maximumFractionDigits: 1 });
    case "usd":
      return dollars(value);
    case "bytes":
      return bytes(value);
    case "ms":
      return value < 1000 ? `${format(value, { maximumFractionDigits: 0 })} ms` : `${seconds(value)} s`;
    case "share":
      return `${format(value * 100, { maximumFractionDigits: 1 })} %`;
    default:
      return unit satisfies never;
  }
}

/** Exact, with its unit in words. */
export function exactQuantity(value: number, unit: Unit): string {
  const exact = format(unit === "share" ? value * 100 : value, { maximumFractionDigits: 8 });
  const words = {
    share: " percent",
    count: "",
    tokens: " tokens",
    usd: " US dollars",
    bytes: " bytes",
    ms: " milliseconds",
  };
  return `${exact}${words[unit]}`;
}

function dollars(value: number): string {
  const size = Math.abs(value);
  const places = size < 1 ? 4 : 2;
  const digits =
    size !== 0 && size < 0.001
      ? { maximumSignificantDigits: 2 }
      : { minimumFractionDigits: 2, maximumFractionDigits: places };
  return format(value, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    ...digits,
  });
}

function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), BYTES.length - 1);
  return `${format(value / 1024 ** step, { maximumFractionDigits: step === 0 ? 0 : 1 })} ${BYTES[step]}`;
}

function seconds(ms: number): string {
  return format(ms / 1000, { maximumFractionDigits: 1 });
}

function format(value: number, options: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat("en", options).format(value);
}
