import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { CHAT, MODEL } from "./metered.ts";
import { Scraper } from "./scrape.ts";

const PRICES = `settings:
  prices:
    - { model: ${UPSTREAM_MODEL}, input_usd_per_million: 100, output_usd_per_million: 200 }
`;

test("[W3] cost grows by what the price table says of the tokens", async () => {
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ yaml: PRICES });
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("prometheus", ["viewer"]);
  await claviger.call({ path: "/v1/models" });
  const body = { model: MODEL, messages: [] };
  expect((await claviger.call({ method: "POST", path: CHAT.route, body })).status).toBe(200);
  const now = await new Scraper(claviger, key).quiet();
  // Three tokens in, two out.
  const cost = (3 * 100 + 2 * 200) / 1_000_000;
  expect(now.value("claviger_gateway_cost_usd_total", { provider: "sim", model: MODEL })).toBeCloseTo(
    cost,
    12,
  );
});
