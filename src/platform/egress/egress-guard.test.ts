import { afterEach, expect, test, vi } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";
import { createEgressClient, type EgressClient, type EgressParts } from "./egress-client.ts";

const LIMIT = 1024 * 1024;
const METADATA = "169.254.169.254";

afterEach(() => void vi.useRealTimers());

/** Answers as told, one answer after the other, the last one again and again; counts how often it was asked. */
function fakeDns(names: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const asked = new Map<string, number>();
  const lookup = (name: string): Promise<readonly string[]> => {
    const count = asked.get(name) ?? 0;
    asked.set(name, count + 1);
    const answers = names[name] ?? [];
    const answer = answers[Math.min(count, answers.length - 1)];
    if (answer !== undefined) return Promise.resolve(answer);
    return Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
  };
  return { lookup, asked: (name: string) => asked.get(name) ?? 0 };
}

const portOf = (upstream: Upstream) => Number(new URL(upstream.baseUrl).port);
const at = (host: string, upstream: Upstream) => new URL(`http://${host}:${portOf(upstream)}/v1/models`);
const get = (client: EgressClient, url: URL) => client.collect({ url, method: "GET", headers: [] }, LIMIT);

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error("no AppError came");
}

const withOwn = (address: string, upstream: Upstream, more: EgressParts = {}) =>
  createEgressClient({ ...more, ownListeners: () => [{ address, port: portOf(upstream) }] });

test("[E4] one connect asks for the name once and dials what was answered then", async () => {
  await using upstream = await startUpstream();
  const dns = fakeDns({ "rebind.test": [["127.0.0.1"], [METADATA]] });
  await using client = createEgressClient({ lookup: dns.lookup });
  expect((await get(client, at("rebind.test", upstream))).status).toBe(200);
  expect(dns.asked("rebind.test")).toBe(1);
  expect(upstream.requests[0]?.rawHeaders).toContain(`rebind.test:${portOf(upstream)}`);
});

test("[E1] [E4] a name that pointed at an allowed address is judged anew at the next connect", async () => {
  await using upstream = await startUpstream();
  const dns = fakeDns({ "rebind.test": [["127.0.0.1"], [METADATA]] });
  await using client = createEgressClient({ lookup: dns.lookup });
  upstream.behave({ kind: "cut", afterBytes: 0 });
  expect((await refusal(get(client, at("rebind.test", upstream)))).code).toBe("upstream_failed");
  const error = await refusal(get(client, at("rebind.test", upstream)));
  expect(error).toMatchObject({ code: "egress_denied", status: 502 });
  expect(error.message).toContain("metadata");
  expect(upstream.connections).toBe(1);
});

test("[E1] one denied answer among several denies the name, wherever it stands", async () => {
  await using upstream = await startUpstream();
  const dns = fakeDns({
    "first.test": [[METADATA, "127.0.0.1"]],
    "last.test": [["127.0.0.1", "::1", "::ffff:a9fe:a9fe"]],
    "zone.test": [["127.0.0.1", "fe80::1%eth0"]],
    "odd.test": [["127.0.0.1", "2852039166"]],
  });
  await using client = createEgressClient({ lookup: dns.lookup });
  for (const name of ["first.test", "last.test", "zone.test", "odd.test"]) {
    expect([name, (await refusal(get(client, at(name, upstream)))).code]).toEqual([name, "egress_denied"]);
  }
  expect(upstream.connections).toBe(0);
});

test("[E1] a name that means metadata is denied without being asked for, also with a trailing dot", async () => {
  const dns = fakeDns({ "metadata.google.internal": [["127.0.0.1"]] });
  await using client = createEgressClient({ lookup: dns.lookup });
  for (const name of [
    "metadata.google.internal",
    "METADATA.google.internal.",
    "metadata。google。internal",
  ]) {
    expect((await refusal(get(client, new URL(`http://${name}/`)))).code).toBe("egress_denied");
  }
  expect(dns.asked("metadata.google.internal")).toBe(0);
});

test("[E4] the addresses of a name are tried in turn until one accepts", async () => {
  await using upstream = await startUpstream();
  const dns = fakeDns({ "many.test": [["::1", "127.0.0.3", "127.0.0.1"]] });
  await using client = createEgressClient({ lookup: dns.lookup });
  expect((await get(client, at("many.test", upstream))).status).toBe(200);
  const dead = fakeDns({ "many.test": [["127.0.0.3", "127.0.0.2"]] });
  await using other = createEgressClient({ lookup: dead.lookup });
  expect(await refusal(get(other, at("many.test", upstream)))).toMatchObject({
    code: "upstream_unreachable",
    message: "The upstream refused the connection.",
  });
});

test("[E4] names that hang delay no other name, and closing does not wait for them", async () => {
  await using upstream = await startUpstream();
  const signals: AbortSignal[] = [];
  const lookup = (name: string, signal: AbortSignal) => {
    if (name === "good.test") return Promise.resolve(["127.0.0.1"]);
    signals.push(signal);
    return new Promise<string[]>(() => {});
  };
  const client = createEgressClient({ lookup });
  const hanging = Array.from({ length: 40 }, (_, index) =>
    refusal(get(client, new URL(`http://hang-${index}.test/`))),
  );
  expect((await get(client, at("good.test", upstream))).status).toBe(200);
  await client.close();
  for (const error of await Promise.all(hanging)) expect(error).toBeInstanceOf(AppError);
  expect(signals).toHaveLength(40);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
});

test("[E4] a lookup is given up after 30 seconds, told so, and the name can be asked for again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const signals: AbortSignal[] = [];
  const lookup = (_name: string, signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string[]>(() => {});
  };
  await using client = createEgressClient({ lookup });
  let error: AppError | undefined;
  const pending = refusal(get(client, new URL("http://hang.test/"))).then((reason) => {
    error = reason;
  });
  await vi.advanceTimersByTimeAsync(29_999);
  expect(error).toBeUndefined();
  expect(signals[0]?.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await pending;
  expect(error).toMatchObject({ code: "upstream_unreachable", message: expect.stringContaining("in time") });
  expect(signals[0]?.aborted).toBe(true);
  void refusal(get(client, new URL("http://hang.test/")));
  await vi.advanceTimersByTimeAsync(1);
  expect(signals).toHaveLength(2);
});

test("[E2] the server's own listeners are refused under every address and name that reaches them", async () => {
  await using upstream = await startUpstream();
  const dns = fakeDns({ "self.test": [["127.0.0.1"]] });
  await using exact = withOwn("127.0.0.1", upstream, dns);
  const names = ["127.0.0.1", "2130706433", "127.1", "localhost", "self.test", "[::ffff:127.0.0.1]"];
  const lookup = async (name: string) => (name === "localhost" ? ["127.0.0.1"] : dns.lookup(name));
  await using named = withOwn("127.0.0.1", upstream, { lookup });
  for (const name of names) {
    const error = await refusal(get(named, at(name, upstream)));
    expect([name, error.code, error.detail]).toEqual([name, "egress_denied", "rule: own-listener"]);
  }
  expect(await exact.verdict(at("self.test", upstream))).toMatchObject({
    allowed: false,
    rule: "own-listener",
  });
  expect(upstream.connections).toBe(0);
});

test("[E2] a listener on every address is refused under each of this machine's; another port is not", async () => {
  await using upstream = await startUpstream();
  for (const everywhere of ["0.0.0.0", "::"]) {
    await using client = withOwn(everywhere, upstream);
    for (const name of ["127.0.0.1", "127.9.8.7", "[::1]", "[::ffff:127.0.0.1]"]) {
      expect((await refusal(get(client, at(name, upstream)))).code).toBe("egress_denied");
    }
    expect(await client.verdict("http://192.0.2.1:1/v1")).toEqual({ allowed: true });
  }
  expect(upstream.connections).toBe(0);
  await using elsewhere = createEgressClient({
    ownListeners: () => [{ address: "0.0.0.0", port: portOf(upstream) + 1 }],
  });
  expect((await get(elsewhere, at("127.0.0.1", upstream))).status).toBe(200);
});

test("[E2] a redirect to another origin reaches nobody and its target is not told", async () => {
  await using upstream = await startUpstream();
  await using sink = await startUpstream();
  await using client = createEgressClient();
  for (const location of [sink.baseUrl, `http://${METADATA}/latest/`, "//169.254.169.254/"]) {
    upstream.behave({ kind: "redirect", location });
    const error = await refusal(get(client, at("127.0.0.1", upstream)));
    expect(error).toMatchObject({ code: "upstream_failed", status: 502 });
    expect(`${error.message} ${error.detail}`).not.toContain(location);
  }
  expect(sink.connections).toBe(0);
});

test("[E3] loopback and private addresses are allowed", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient({
    lookup: async () => ["10.1.2.3", "192.168.7.7", "fd12::1", "::1"],
  });
  expect((await get(client, at("127.0.0.1", upstream))).status).toBe(200);
  expect(await client.verdict("http://nas.test:11434/v1")).toEqual({ allowed: true });
});

test("[E5] the verdict on a URL is the one its call meets, denials are told once, unknown names may be saved", async () => {
  const denials: string[] = [];
  const dns = fakeDns({ "bad.test": [[METADATA]], "mixed.test": [["127.0.0.1", "0.0.0.0"]] });
  await using client = createEgressClient({
    lookup: dns.lookup,
    onDenied: ({ origin, error }) => denials.push(`${origin} ${error.detail}`),
  });
  const urls = [
    "http://bad.test",
    "http://mixed.test",
    "http://0",
    "http://[fe80::1]",
    "http://metadata.goog",
  ];
  for (const url of [...urls, "ftp://127.0.0.1", "http://u:p@127.0.0.1"]) {
    const verdict = await client.verdict(url);
    const error = await refusal(get(client, new URL(url)));
    expect([url, verdict.allowed ? "" : verdict.reason, error.code]).toEqual([
      url,
      error.message,
      "egress_denied",
    ]);
  }
  expect(denials).toHaveLength(7);
  expect(denials[0]).toBe("http://bad.test rule: metadata");
  expect(denials.join()).not.toContain("p@");
  expect(await client.verdict("http://nobody.test/v1")).toEqual({ allowed: true });
  expect((await refusal(get(client, new URL("http://nobody.test/v1")))).code).toBe("upstream_unreachable");
  expect(denials).toHaveLength(7);
});
