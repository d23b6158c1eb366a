import { Resolver } from "node:dns/promises";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEgressClient } from "#platform/egress/egress-client.ts";
import { createSystemLookup } from "#platform/egress/lookup.ts";
import { startUpstream } from "#test/upstream.ts";
import { type NameRecord, startNameServer } from "./name-server.ts";

const NEVER = new AbortController().signal;
let directory = "";
const file = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "claviger-names-"));
  writeFileSync(
    file("hosts"),
    "127.0.0.1 Listed.test alias # comment\n# 10.0.0.1 off.test\n::1 listed.test\nnonsense x\n",
  );
  writeFileSync(
    file("resolv.conf"),
    "nameserver 127.0.0.1\nsearch lan.test office.test.\noptions timeout:1 ndots:1\n",
  );
  writeFileSync(
    file("getent"),
    '#!/bin/sh\ncase "$2" in\nbox.local) echo "192.168.7.7 STREAM box.local"; echo "192.168.7.7 DGRAM";;\nslow.local) exec sleep 600;;\n*) exit 2;;\nesac\n',
  );
  chmodSync(file("getent"), 0o700);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function startLookup(records: Readonly<Record<string, NameRecord>>, timeoutMs = 5_000) {
  const server = await startNameServer(records);
  const lookup = createSystemLookup(
    { hosts: file("hosts"), resolvConf: file("resolv.conf"), getent: file("getent") },
    () => {
      const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
      resolver.setServers([server.address]);
      return resolver;
    },
  );
  return { server, lookup, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("the hosts file comes first, any case, in its order, and DNS is not asked", async () => {
  await using names = await startLookup({ "listed.test": { addresses: ["10.9.9.9"] } });
  expect(await names.lookup("listed.test", NEVER)).toEqual(["127.0.0.1", "::1"]);
  expect(await names.lookup("alias", NEVER)).toEqual(["127.0.0.1"]);
  expect(await names.lookup("localhost", NEVER)).toEqual(["127.0.0.1", "::1"]);
  expect(await names.lookup("x.localhost", NEVER)).toEqual(["127.0.0.1", "::1"]);
  expect(names.server.asked).toEqual([]);
  await expect(names.lookup("off.test", NEVER)).rejects.toMatchObject({ code: "ENOTFOUND" });
});

test("DNS gives the addresses of both families; short names are completed by the search list", async () => {
  await using names = await startLookup({
    "both.test": { addresses: ["10.0.0.5", "fd00:0:0:0:0:0:0:5"] },
    "nas.office.test": { addresses: ["10.0.0.6"] },
    "a.b.lan.test": { addresses: ["10.0.0.7"] },
  });
  expect(await names.lookup("both.test", NEVER)).toEqual(["fd00::5", "10.0.0.5"]);
  expect(await names.lookup("nas", NEVER)).toEqual(["10.0.0.6"]);
  expect(await names.lookup("a.b", NEVER)).toEqual(["10.0.0.7"]);
});

test("[E1] an alias that leads to a denied address is denied by where it leads", async () => {
  await using upstream = await startUpstream();
  await using names = await startLookup({
    "alias.test": { addresses: ["169.254.169.254"], alias: "metadata.elsewhere.test" },
    "good.test": { addresses: ["127.0.0.1"], alias: "host.elsewhere.test" },
  });
  await using client = createEgressClient({ lookup: names.lookup });
  const get = (name: string) =>
    client.collect(
      { url: new URL(upstream.baseUrl.replace("127.0.0.1", name)), method: "GET", headers: [] },
      1024,
    );
  await expect(get("alias.test")).rejects.toMatchObject({ code: "egress_denied" });
  expect(upstream.connections).toBe(0);
  expect((await get("good.test")).status).toBe(404);
});

test("what DNS does not know is asked of the system in a process of its own", async () => {
  await using names = await startLookup({});
  expect(await names.lookup("box.local", NEVER)).toEqual(["192.168.7.7"]);
  expect(names.server.asked).toEqual([]);
  await expect(names.lookup("nobody.test", NEVER)).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(names.lookup("-n.local", NEVER)).rejects.toMatchObject({ code: "ENOTFOUND" });
});

test("[E4] names whose servers or modules are silent delay no other, and are given up when told", async () => {
  const silent = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`hang-${index}.test`, "silent"] as const),
  );
  await using names = await startLookup({ ...silent, "good.test": { addresses: ["127.0.0.1"] } });
  const giveUp = new AbortController();
  const settled: string[] = [];
  const hanging = [
    ...Object.keys(silent),
    "slow.local",
    "slow.local",
    "slow.local",
    "slow.local",
    "slow.local",
  ].map((name) => names.lookup(name, giveUp.signal).catch(() => void settled.push(name)));
  expect(await names.lookup("good.test", NEVER)).toEqual(["127.0.0.1"]);
  expect(await names.lookup("box.local", NEVER)).toEqual(["192.168.7.7"]);
  expect(await names.lookup("listed.test", NEVER)).toHaveLength(2);
  expect(settled).toEqual([]);
  giveUp.abort();
  await Promise.all(hanging);
  expect(settled).toHaveLength(25);
});

test("a server that does not answer is an error, not an absence", async () => {
  await using names = await startLookup({ "quiet.test": "silent" }, 100);
  await expect(names.lookup("quiet.test", NEVER)).rejects.toMatchObject({ code: "ETIMEOUT" });
});
