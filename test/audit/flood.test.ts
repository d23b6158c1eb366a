import { Agent, request } from "node:http";
import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { verified } from "./audited-server.ts";

const ADDRESSES = 40;
const EACH = 50;
const page = z.object({
  data: z.array(
    z.object({ actor: z.string(), action: z.string(), address: z.string().nullable(), count: z.number() }),
  ),
});

test("[W1] refused requests from everywhere are one row per address, route and minute, and stop no change", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: { REQUIRE_API_KEY: "true" } });
  const admin = await server.issueKey("admin", ["superadmin"]);
  const { hostname, port } = new URL(server.url);
  const refused = new Map<number, number>();
  const stranger = async (number: number) => {
    using agent = new OneConnection();
    const from = { hostname, port, agent: agent.http, localAddress: `127.9.${number}.1` };
    for (let asked = 0; asked < EACH; asked++) {
      const status = await statusOf({ ...from, path: asked % 2 === 0 ? "/v1/models" : "/api/v1/keys" });
      refused.set(status, (refused.get(status) ?? 0) + 1);
    }
  };
  const flood = Promise.all(Array.from({ length: ADDRESSES }, (_, number) => stranger(number)));
  const headers = { authorization: `Bearer ${admin.key}` };
  let over = false;
  const ended = flood.then(() => (over = true));
  let changes = 0;
  while (!over) {
    const body = { name: `amid-${changes}`, permissions: ["gateway"] };
    const made = await server.call({ method: "POST", path: "/api/v1/keys", headers, body });
    expect(made.status).toBe(201);
    changes += 1;
  }
  await ended;
  expect(changes).toBeGreaterThan(3);
  expect([...refused.keys()].every((status) => status === 401 || status === 429)).toBe(true);
  expect([...refused.values()].reduce((sum, each) => sum + each, 0)).toBe(ADDRESSES * EACH);
  clock.advance(60_000);
  const { data } = page.parse(
    (await server.control({ path: "/api/v1/audit?limit=1000&actor=anonymous" })).json,
  );
  expect(data).toHaveLength(2 * ADDRESSES);
  expect(data.every(({ count }) => count === EACH / 2)).toBe(true);
  expect(new Set(data.map(({ address }) => address)).size).toBe(ADDRESSES);
  expect(verified(server.dataDir)).toMatchObject({ whole: true, rows: 1 + changes + data.length });
});

/** Keeps one connection open, as a flood does, so that what is measured is not the making of connections. */
class OneConnection implements Disposable {
  readonly http = new Agent({ keepAlive: true, maxSockets: 1 });

  [Symbol.dispose](): void {
    this.http.destroy();
  }
}

function statusOf(from: {
  hostname: string;
  port: string;
  agent: Agent;
  localAddress: string;
  path: string;
}): Promise<number> {
  const headers = { authorization: "Bearer sk-claviger-nobody" };
  return new Promise((resolve, reject) => {
    const asked = request({ ...from, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    asked.on("error", reject);
    asked.end();
  });
}
