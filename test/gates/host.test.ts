import { hostname } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { rawRequest, sendRaw, statusOf } from "./raw.ts";

let claviger: TestClaviger;
let key: string;
beforeAll(async () => {
  claviger = await startClaviger({ yaml: "settings:\n  allowed_hosts: [vault.example]\n" });
  ({ key } = await claviger.issueKey("app"));
});
afterAll(() => claviger[Symbol.asyncDispose]());

const ask = async (host: string, ...lines: string[]) =>
  statusOf(await sendRaw(claviger.url, rawRequest("GET /v1/models HTTP/1.1", [`Host: ${host}`, ...lines])));
const bare = hostname().toLowerCase().split(".")[0];

test.each([
  "localhost",
  "localhost:8441",
  "LOCALHOST",
  "localhost.",
  "app.localhost",
  "127.0.0.1",
  "127.0.0.1:1",
  "127.9.9.9",
  "[::1]",
  "[::1]:8441",
  "[::ffff:127.0.0.1]",
])("[A7] %s means this machine: a local caller needs no key", async (host) => {
  expect(await ask(host)).toBe(200);
});

test.each([
  "192.0.2.1",
  "192.0.2.1:8441",
  "[2001:db8::1]",
  "0.0.0.0",
  `${bare}`,
  `${bare}.local:8441`,
  "vault.example",
])("[A7] %s is served, to whoever has a key", async (host) => {
  expect(await ask(host)).toBe(401);
  expect(await ask(host, `Authorization: Bearer ${key}`)).toBe(200);
});

test.each([
  "evil.example",
  "localhost.evil.example",
  "evil-localhost",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io",
  "sub.vault.example",
  "vault.example.evil.example",
  "127.1",
  "2130706433",
  "0x7f.0.0.1",
  "localhost:8441:8441",
  "user@localhost",
  "localhost/",
  "localhost, evil.example",
  "::1",
  "[::1",
  "[fe80::1%25lo]",
  "[::1].evil.example",
  "",
  "*",
])("[A7] any other name is 421, with a key too: %j", async (host) => {
  expect(await ask(host)).toBe(421);
  expect(await ask(host, `Authorization: Bearer ${key}`)).toBe(421);
});

test("[A7] open routes and unknown ones do not answer for another name either", async () => {
  for (const path of ["/health", "/api/v1/info", "/nothing", "/v1beta"])
    expect((await claviger.call({ path, headers: { host: "rebound.example" } })).status, path).toBe(421);
});

test("[A7] [A8] a missing Host and two of them are a 400 with a request id", async () => {
  for (const head of [
    "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /health HTTP/1.0\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  ]) {
    const text = await sendRaw(claviger.url, head);
    expect(statusOf(text)).toBe(400);
    expect(text).toMatch(/x-request-id: req_/);
  }
});

test("[A7] a request target with a host of its own is refused, whatever that host is", async () => {
  for (const target of [
    "http://evil.example/health",
    "http://127.0.0.1/health",
    "*",
    "evil.example:443",
    "health",
  ])
    for (const method of ["GET", "OPTIONS"]) {
      const text = await sendRaw(claviger.url, rawRequest(`${method} ${target} HTTP/1.1`));
      expect(statusOf(text), `${method} ${target}`).toBe(400);
    }
});

test("[A7] [N10] the control socket asks for no host name", async () => {
  const answer = await claviger.control({ path: "/api/v1/status", headers: { host: "anything.example" } });
  expect(answer.status).toBe(200);
});
