import { expect, test } from "vitest";
import { generateApiKey, publicHash } from "#identity/keys/index.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { until } from "../gateway/bench.ts";
import { openRaw, rawRequest, statusOf } from "./raw.ts";

const random = seededRandom(41);
const { key: declaredKey } = generateApiKey(random);
const HOUR_MS = 3_600_000;

interface Asked {
  readonly route: string;
  readonly body: string;
}

const ASKED: readonly Asked[] = [
  { route: "/api/v1/keys", body: JSON.stringify({ name: "afterwards", permissions: [] }) },
  {
    route: "/v1/chat/completions",
    body: JSON.stringify({ model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "x" }] }),
  },
];

/** How a credential ends, and what the log is to say of it. */
const ENDINGS: readonly [
  string,
  "key" | "identity",
  (claviger: TestClaviger, id: string, clock: FakeClock) => unknown,
][] = [
  ["expired", "key", (_claviger, _id, clock) => clock.advance(HOUR_MS)],
  ["expired", "identity", (_claviger, _id, clock) => clock.advance(HOUR_MS)],
  ["revoked", "key", (claviger, id) => claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` })],
];

test.each(
  ENDINGS.flatMap((ending) => ASKED.map((asked) => [...ending, asked] as const)),
)("[I11] [A3] [W2] the log says %s where a key of the kind %s ends while the body arrives, and nothing is done", async (reason, kind, end, asked) => {
  const clock = new FakeClock();
  const expires = new Date(clock.now() + HOUR_MS).toISOString();
  const yaml = `resources:
  here: { resource_type: Identity, credential: { api_key: ${publicHash(declaredKey)} }, permissions: superadmin, expires_at: "${expires}" }
  front: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys, here] }
`;
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ clock, yaml, listen: [] });
  await claviger.addProvider("sim", upstream.baseUrl);
  const body = { name: "short-lived", permissions: ["superadmin"], expires_at: expires };
  const { text } = await claviger.control({ method: "POST", path: "/api/v1/keys", body });
  const issued = { id: /"id":"([^"]+)"/.exec(text)?.[1] ?? "", key: /"key":"([^"]+)"/.exec(text)?.[1] ?? "" };
  const lines = [
    `Authorization: Bearer ${kind === "key" ? issued.key : declaredKey.expose()}`,
    "Content-Type: application/json",
    `Content-Length: ${asked.body.length}`,
    "Expect: 100-continue",
    "X-Request-Id: meanwhile",
  ];
  await using connection = openRaw(claviger.url);
  connection.socket.write(rawRequest(`POST ${asked.route} HTTP/1.1`, lines));
  await connection.until(/100 Continue/);
  await end(claviger, issued.id, clock);
  connection.socket.write(asked.body);
  const answer = (await connection.untilClosed()).split("\r\n\r\n").slice(1).join("\r\n\r\n");
  expect(statusOf(answer)).toBe(401);
  // A worker hands its lines over in batches.
  await until(() => claviger.logged().includes('"meanwhile"'));
  const line =
    claviger
      .logged()
      .split("\n")
      .find((each) => each.includes('"meanwhile"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    status: 401,
    reason,
    principal: kind === "key" ? issued.id : "here",
  });
  // The list of models alone, when the provider was added.
  expect(upstream.requests.filter(({ method }) => method === "POST")).toEqual([]);
  expect((await claviger.control({ path: "/api/v1/keys" })).text).not.toContain("afterwards");
});

test("[I11] what runs for an identity that expires is ended within a second, with an error event", async () => {
  const clock = new FakeClock();
  const expires = new Date(clock.now() + HOUR_MS).toISOString();
  const yaml = `resources:
  here: { resource_type: Identity, credential: { api_key: ${publicHash(declaredKey)} }, permissions: gateway, expires_at: "${expires}" }
  front: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [here] }
`;
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ clock, yaml, listen: [] });
  await claviger.addProvider("sim", upstream.baseUrl);
  upstream.behave({ kind: "stall", after: 200, until: new Promise(() => undefined) });
  const body = JSON.stringify({
    model: `sim/${UPSTREAM_MODEL}`,
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  await using connection = openRaw(claviger.url);
  connection.socket.write(
    rawRequest(
      "POST /v1/chat/completions HTTP/1.1",
      [
        `Authorization: Bearer ${declaredKey.expose()}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
      ],
      body,
    ),
  );
  await connection.until(/data: /);
  const endedAt = performance.now();
  clock.advance(HOUR_MS);
  const text = await connection.untilClosed();
  expect(performance.now() - endedAt).toBeLessThan(1000);
  expect(text).toContain('"code":"invalid_token"');
  await until(() => claviger.logged().includes('"reason":"expired"'));
});
