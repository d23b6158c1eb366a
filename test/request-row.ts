import type { Tables } from "#platform/storage/tables.ts";

type StoredRow = Omit<Tables["request"], "seq" | "cost_usd" | "estimated" | "id_tells_time"> & {
  estimated: number;
};

/** A row as the gateway stores it, of a request that went well; `more` in place of its fields. */
export function requestRow<More extends object>(more: More): Omit<StoredRow, keyof More> & More {
  const row: StoredRow = {
    time: Date.UTC(2026, 0, 10),
    request_id: "req_same",
    principal: "key_z",
    provider: "openai",
    model: "m",
    route: "/v1/chat/completions",
    status: 200,
    latency_ms: 1,
    first_byte_ms: 1,
    input_tokens: 10,
    output_tokens: 5,
    cost_nano_usd: 0,
    estimated: 0,
    streamed: 0,
  };
  return { ...row, ...more };
}
