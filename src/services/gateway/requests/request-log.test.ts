import { expect, test } from "vitest";
import { createLog } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { RequestLog, type RequestRow } from "./request-log.ts";

const ROW: RequestRow = {
  time: 0,
  request_id: "req_1",
  principal: "key_1",
  provider: null,
  model: "unknown",
  route: "/v1/models",
  status: 200,
  latency_ms: 1,
  first_byte_ms: null,
  input_tokens: null,
  output_tokens: null,
  cost_nano_usd: null,
  estimated: 0,
  streamed: 0,
  id_tells_time: 0,
};

test("[G7] behind a store that does not answer rows are dropped and counted, never kept without bound", async () => {
  const stored = Promise.withResolvers<void>();
  let written = 0;
  const insertRows: Database["insertRows"] = async (_table, rows) => {
    await stored.promise;
    written += rows.length;
  };
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: "warn", sink: destination });
  const rows = new RequestLog({ database: { insertRows }, log, print: false });
  for (let at = 0; at < 30_000; at++) rows.add(ROW);
  stored.resolve();
  await rows.flush();
  expect(written).toBe(20_000);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ rows: 10_000 }]);
});
