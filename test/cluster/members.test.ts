import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestClaviger } from "#test/claviger.ts";
import { listen } from "#test/events/listener.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openRaw, rawRequest } from "#test/gates/raw.ts";
import { chat, MODEL, openChat, readAll, requestRows, rowsWhen, startBench } from "#test/gateway/bench.ts";
import { bearing } from "#test/keys/key-calls.ts";
import { holdConnections } from "#test/workers/held-connections.ts";
import { credentialsOf, newToken, replaceToken, writeMember } from "./cluster-files.ts";
import { ask, dataOf, NODES, statusComes, statusFrom, statusWith } from "./member-calls.ts";

describe.each([1, 2])("a member, with %i threads", (workers) => {
  const token = newToken();
  const clock = new FakeClock();
  const stack = new AsyncDisposableStack();
  let bench: Awaited<ReturnType<typeof startBench>>;
  let claviger: TestClaviger;
  let everyThread: (path: string, headers: Record<string, string>) => Promise<number[]>;
  const all = (status: number) => Array.from({ length: workers }, () => status);

  beforeAll(async () => {
    bench = stack.use(await startBench({ workers, clock }));
    claviger = bench.claviger;
    writeMember(claviger.dataDir, token);
    await statusComes(claviger, token, 200);
    const held = stack.use(await holdConnections(claviger, workers));
    everyThread = async (path, headers) => {
      // So that wrong ones are not yet too many for one address.
      clock.advance(60_000);
      const answers = await Promise.all(held.byThread.map((one) => one.ask({ path, headers })));
      return answers.map(({ status }) => status);
    };
  });
  afterAll(() => stack.disposeAsync());

  test("[C6] [A2] the token opens the nodes and the gateway as Bearer, in any case of that word", async () => {
    for (const path of [...NODES, "/v1/models"])
      for (const scheme of ["Bearer", "bearer", "BEARER"])
        expect(await everyThread(path, { authorization: `${scheme} ${token}` }), path).toEqual(all(200));
  });

  test("[C6] [A11] it is 401 without, with a wrong one, and in any other form", async () => {
    const broken = `${token.slice(0, -1)}${token.endsWith("A") ? "E" : "A"}`;
    const forms: Record<string, string>[] = [
      { authorization: `Bearer ${newToken()}` },
      { authorization: `Bearer ${broken}` },
      { authorization: `Bearer ${token}=` },
      { authorization: `Bearer ${token.slice(0, -1)}` },
      { authorization: `Bearer ${token.toLowerCase()}` },
      { authorization: "Bearer " },
      { authorization: `Basic ${token}` },
      { authorization: `Basic ${Buffer.from(`member:${token}`).toString("base64")}` },
      { authorization: `Token ${token}` },
      { authorization: token },
      { "x-api-key": token },
      { "api-key": token },
      { "x-goog-api-key": token },
      { cookie: `claviger_session=${token}` },
    ];
    // What none of the gateway's headers is makes nobody there but the local one it was before.
    for (const path of [...NODES, "/sse", "/v1/models"])
      for (const headers of path.startsWith("/v1") ? forms.slice(0, -1) : [...forms, {}])
        expect(await everyThread(path, headers), `${path} ${JSON.stringify(headers)}`).toEqual(all(401));
    for (const name of ["token", "access_token", "key", "api_key"])
      expect(await everyThread(`/api/nodes?${name}=${token}`, {}), name).toEqual(all(401));
  });

  test("[C6] [I15] it holds the set member: so much, and no more", async () => {
    const may = ["/api/v1/usage", "/api/v1/status", "/api/v1/openapi.json"];
    const mayNot = ["/api/v1/keys", "/api/v1/requests", "/api/v1/audit", "/metrics", "/api/v1/backup"];
    for (const path of may) expect(await everyThread(path, bearing(token)), path).toEqual(all(200));
    for (const path of mayNot) expect(await everyThread(path, bearing(token)), path).toEqual(all(403));
  });

  test("[C6] [C8] [H7] /sse and the models of the node are for it", async () => {
    const listener = await listen(claviger, { key: token, query: "?types=config" });
    expect(listener.answer.statusCode).toBe(200);
    await claviger.control({ method: "POST", path: "/api/v1/config/reload" });
    expect((await listener.count(1))[0]?.type).toMatch(/^config\./);
    listener.cut();
    const listed = await ask(claviger, "/v1/models", bearing(token));
    const names = JSON.stringify(listed.json).match(/"id":"[^"]+"/g) ?? [];
    expect(names).toContain(`"id":"${MODEL}"`);
    const [row] = dataOf(await ask(claviger, "/api/nodes", bearing(token)));
    const models = Object.getOwnPropertyDescriptor(row, "models")?.value;
    expect(JSON.stringify(models)).toBe(JSON.stringify(names.map((name) => JSON.parse(`{${name}}`).id)));
  });

  test("[C6] [H4] [H5] it is called member in the request log, the audit and the access log", async () => {
    const before = (await requestRows(claviger)).length;
    await readAll(await openChat({ ...bench, key: token }, chat()).head);
    expect((await rowsWhen(claviger, before + 1))[0]).toMatchObject({ principal: "member", status: 200 });
    await ask(claviger, "/api/v1/keys", { ...bearing(token), "x-request-id": `named-${workers}` });
    expect(dataOf(await claviger.control({ path: "/api/v1/audit?limit=100" }))).toContainEqual(
      expect.objectContaining({ actor: "member", request_id: `named-${workers}`, outcome: "denied" }),
    );
    await expect
      .poll(() => claviger.logged())
      .toMatch(
        new RegExp(
          `"named-${workers}"[^\\n]*"principal":"member"|"principal":"member"[^\\n]*"named-${workers}"`,
        ),
      );
    expect(claviger.logged()).not.toContain(token);
  });

  test("[C6] [A12] wrong tokens are 429 after 60 a minute from an address; the right one passes, and other addresses do", async () => {
    clock.advance(60_000);
    const wrong = () => statusWith(claviger, newToken());
    for (let tried = 0; tried < 60; tried++) expect(await wrong()).toBe(401);
    const refused = await ask(claviger, "/api/nodes", bearing(newToken()));
    expect(refused).toMatchObject({ status: 429, json: { code: "rate_limited" } });
    expect(refused.headers["retry-after"]).toBe("1");
    expect(await statusWith(claviger, token)).toBe(200);
    expect(await statusFrom("127.0.0.2", claviger.url, newToken())).toBe(401);
    expect(await wrong()).toBe(429);
    clock.advance(60_000);
    expect(await wrong()).toBe(401);
  });

  test("[C6] [C12] another token ends the one before at once, what runs for it too; without the file none is right", async () => {
    bench.upstream.behave({ kind: "stall", after: 200, until: new Promise(() => undefined) });
    const streams = Array.from({ length: 8 }, () =>
      openChat({ ...bench, key: token }, chat({ stream: true })),
    );
    const answers = await Promise.all(streams.map(({ head }) => head));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200));
    bench.upstream.behave({ kind: "ok" });
    const listener = await listen(claviger, { key: token });
    const body = JSON.stringify(chat());
    const lines = [
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      "Expect: 100-continue",
    ];
    await using arriving = openRaw(claviger.url);
    arriving.socket.write(rawRequest("POST /v1/chat/completions HTTP/1.1", lines));
    await arriving.until(/100 Continue/);
    const next = newToken();
    replaceToken(claviger.dataDir, next);
    const texts = await Promise.all(answers.map(readAll));
    for (const text of texts) expect(text).toContain('"code":"invalid_token"');
    expect(await listener.end()).toContain("no longer permitted");
    await statusComes(claviger, next, 200);
    arriving.socket.write(body);
    expect(await arriving.untilClosed()).toMatch(/HTTP\/1\.1 401 /);
    expect(await everyThread("/v1/models", bearing(token))).toEqual(all(401));
    expect(await everyThread("/v1/models", bearing(next))).toEqual(all(200));
    rmSync(join(credentialsOf(claviger.dataDir), "pin_derived_key"));
    await statusComes(claviger, next, 401);
    expect(await everyThread("/v1/models", bearing(next))).toEqual(all(401));
    expect(await everyThread("/v1/models", bearing(bench.key))).toEqual(all(200));
    replaceToken(claviger.dataDir, next);
    await statusComes(claviger, next, 200);
  });
});
