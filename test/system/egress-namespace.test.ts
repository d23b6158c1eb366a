import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { runInNetwork } from "./egress-network.ts";

const DENIED4 = [
  "169.254.169.254",
  "169.254.170.2",
  "169.254.7.7",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
];
const DENIED6 = ["fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"];
const ALLOWED = ["10.77.0.1", "192.168.77.1", "172.16.7.1", "100.64.0.1", "fd12:3456::1"];

const hex = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0"));
const groupsOf = (bytes: readonly number[]) => {
  const [a, b, c, d] = hex(bytes);
  return `${a}${b}:${c}${d}`;
};

/** The IPv6 addresses that carry it. */
function embeddings(address: string): string[] {
  const bytes = address.split(".").map(Number);
  const groups = groupsOf(bytes);
  return [
    `::${groups}`,
    `::ffff:0:${groups}`,
    `64:ff9b::${groups}`,
    `64:ff9b:1::${groups}`,
    `2002:${groups}::1`,
    `2001:0:${groups}::f7f7:f7f7`,
    `2001:0:808:808::${groupsOf(bytes.map((byte) => byte ^ 0xff))}`,
    `2001:db8:77::5efe:${groups}`,
    `2001:db8:77:0:200:5efe:${groups}`,
  ];
}

/** Every way to write an IPv4 address in a URL that we know of. */
function spellings(address: string): string[] {
  const bytes = address.split(".").map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const wide = [...address]
    .map((sign) => (sign === "." ? "。" : String.fromCodePoint(0xff10 + Number(sign))))
    .join("");
  return [
    address,
    `${address}.`,
    String(number),
    `0x${number.toString(16)}`,
    `0X${number.toString(16).toUpperCase()}.`,
    `0${number.toString(8)}`,
    `${a}.${number % 2 ** 24}`,
    `${a}.${b}.${number % 2 ** 16}`,
    bytes.map((byte) => `0x${byte.toString(16)}`).join("."),
    bytes.map((byte) => `0${byte.toString(8)}`).join("."),
    `0x${a.toString(16)}.${b}.0${c.toString(8)}.${d}`,
    wide,
    encodeURIComponent(address).replaceAll(".", "%2e"),
    `[::ffff:${address}]`,
    `[0:0:0:0:0:FFFF:${groupsOf(bytes).toUpperCase()}]`,
    ...embeddings(address).map((one) => `[${one}]`),
  ];
}

const NAMES = [
  "bad.hosts.test",
  "mixed.hosts.test",
  "bad.dns.test",
  "bad6.dns.test",
  "alias.dns.test",
  "mixed.dns.test",
];
const OTHERS = [
  "0",
  "0.0.0.0",
  "0x0",
  "[::]",
  "[::ffff:0:0]",
  "metadata.google.internal",
  "METADATA.Google.Internal.",
];
const DENIED_URLS = [
  ...[...DENIED4, "0.0.0.0"].flatMap(spellings),
  ...DENIED6.map((one) => `[${one}]`),
  ...NAMES,
  ...OTHERS,
]
  .concat("embedded.dns.test", "[fe80::1%25lo]", "user:pass@10.77.0.1")
  .map((host) => `http://${host}/`);
const ALLOWED_URLS = ["127.0.0.1", "127.9.9.9", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
  .concat(ALLOWED.map((one) => (one.includes(":") ? `[${one}]` : one)))
  .concat("good.hosts.test", "good.dns.test", "slow.dns.test")
  .map((host) => `http://${host}/`);

const outcomes = z.array(z.tuple([z.string(), z.string()]));
const report = z.object({
  control: z.array(z.tuple([z.string(), z.boolean()])),
  denied: outcomes,
  sinkAfterDenied: z.number(),
  allowed: outcomes,
  sinkAfterAllowed: z.number(),
  proxied: z.number(),
  beside: z.string(),
  settledBeside: z.number(),
  hung: z.array(z.string()),
  hungMs: z.number(),
});

let directory = "";
let seen: z.infer<typeof report>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "claviger-network-"));
  const hosts = join(directory, "hosts");
  writeFileSync(
    hosts,
    "127.0.0.1 localhost\n10.77.0.1 good.hosts.test\n169.254.169.254 bad.hosts.test\n10.77.0.1 mixed.hosts.test\nfd00:ec2::254 mixed.hosts.test\n",
  );
  const resolvConf = join(directory, "resolv.conf");
  writeFileSync(resolvConf, "nameserver 127.0.0.1\n");
  const addresses = [...DENIED4, ...DENIED6, ...ALLOWED, ...DENIED4.flatMap(embeddings)];
  const proxy = "http://10.77.0.1:3128";
  const child = fileURLToPath(new URL("./egress-namespace-child.ts", import.meta.url));
  const lists = [DENIED_URLS, ALLOWED_URLS, [...addresses, "0.0.0.0", "127.0.0.1"]].map((list) =>
    JSON.stringify(list),
  );
  const output = await runInNetwork([child, ...lists], {
    addresses,
    files: { "/etc/hosts": hosts, "/etc/resolv.conf": resolvConf },
    env: {
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      HTTPS_PROXY: proxy,
      https_proxy: proxy,
      ALL_PROXY: proxy,
      all_proxy: proxy,
      NODE_USE_ENV_PROXY: "1",
    },
  });
  seen = report.parse(JSON.parse(output));
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("the sink bears every denied address and is reached there by a program that asks nobody", () => {
  expect(seen.control.length).toBeGreaterThan(60);
  expect(seen.control.filter(([, reached]) => !reached)).toEqual([]);
});

test("[E1] [E2] no spelling of a denied address and no name for it makes one connection", () => {
  expect(seen.denied.length).toBeGreaterThan(150);
  expect(seen.denied.filter(([, code]) => code !== "egress_denied")).toEqual([]);
  expect(seen.sinkAfterDenied).toBe(0);
});

test("[E3] [E4] loopback and private addresses are served, by name too, also where the first of them is silent", () => {
  expect(seen.allowed.filter(([, status]) => status !== "200")).toEqual([]);
  expect(seen.sinkAfterAllowed).toBeGreaterThan(0);
});

test("[N7] [G12] no proxy variable of the environment is followed", () => {
  expect(seen.proxied).toBe(0);
});

test("[E4] twenty names whose server is silent fail within 30 seconds and delay no other name", () => {
  expect([seen.beside, seen.settledBeside]).toEqual(["200", 0]);
  expect(new Set(seen.hung)).toEqual(new Set(["upstream_unreachable"]));
  expect(seen.hungMs).toBeLessThan(30_500);
});
