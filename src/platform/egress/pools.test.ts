import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import type { AppError } from "#platform/lib/error.ts";
import { createEgressClient } from "./egress-client.ts";

const CONNECTIONS = 256;
const WAITING = 1024;

test("one upstream has as many connections as it may, and 1,024 requests waiting; the next is refused until there is room", async () => {
  const held: (() => void)[] = [];
  let holds = true;
  const server = createServer((_request, response) => {
    if (holds) held.push(() => response.end("late"));
    else response.end("at once");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = createEgressClient({ mostConnections: CONNECTIONS });
  const ask = () =>
    client
      .collect({ url: new URL(`http://127.0.0.1:${port}/`), method: "GET", headers: [] }, 1024)
      .then(({ body }) => body.toString())
      .catch((error: AppError) => error.code);
  const all = Array.from({ length: CONNECTIONS + WAITING }, ask);
  expect(await ask()).toBe("upstream_unreachable");
  await expect.poll(() => held.length).toBe(CONNECTIONS);
  expect(await ask()).toBe("upstream_unreachable");
  holds = false;
  for (const answer of held) answer();
  const answers = await Promise.all(all);
  expect(answers.filter((text) => text === "late")).toHaveLength(CONNECTIONS);
  expect(answers.filter((text) => text === "at once")).toHaveLength(WAITING);
  expect(await ask()).toBe("at once");
  await client.close();
  server.close();
});

test("[G6] a request left while it waits for a connection is never sent", async () => {
  const asked: string[] = [];
  const { promise: first, resolve: release } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    void first.then(() => response.end("an answer"));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = createEgressClient({ mostConnections: 1 });
  const leaving = new AbortController();
  const ask = (path: string, signal?: AbortSignal) =>
    client.collect(
      {
        url: new URL(`http://127.0.0.1:${port}${path}`),
        method: "GET",
        headers: [],
        ...(signal && { signal }),
      },
      1024,
    );
  const answers = [ask("/first"), ask("/left", leaving.signal), ask("/last")];
  await expect.poll(() => asked).toEqual(["/first"]);
  leaving.abort();
  await expect(answers[1]).rejects.toThrow();
  release();
  await Promise.all([answers[0], answers[2]]);
  expect(asked).toEqual(["/first", "/last"]);
  await client.close();
  server.close();
});
