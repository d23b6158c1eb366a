import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { generateApiKey, publicHash } from "#identity/keys/index.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { newToken, writeMember } from "../cluster/cluster-files.ts";

const ROUNDS = 10_000;
const WARM_UP = 3_000;
const TOLERANCE = 0.05;
/** A busy machine can spoil a measurement, a real difference spoils them all. */
const ATTEMPTS = 3;
/** After so long an address may get one more credential wrong. */
const ONE_MORE_MS = 2_000;

const random = seededRandom(12);
const clock = new FakeClock();
const soon = new Date(clock.now() + 1_000).toISOString();

/** An identity of the file, with the key that it is known by. */
function identity(fields = ""): { key: string; declared: string } {
  const { key } = generateApiKey(random);
  const declared = `{ resource_type: Identity, credential: { api_key: ${publicHash(key)} }, permissions: gateway${fields} }`;
  return { key: key.expose(), declared };
}

const member = newToken();
const here = identity();
const elsewhere = identity();
const expired = identity(`, expires_at: "${soon}"`);
const far = identity(`, allowed_ips: ["10.0.0.0/8", "2001:db8::/32"]`);
const listener = (auth: string) =>
  `{ resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [${auth}] }`;
const YAML = `resources:
  here: ${here.declared}
  elsewhere: ${elsewhere.declared}
  expired: ${expired.declared}
  far: ${far.declared}
  keys-only: ${listener("keys")}
  both: ${listener("keys, here, expired, far")}
  file-only: ${listener("here, expired, far")}
`;

interface Kind {
  readonly what: string;
  /** What the access log says. */
  readonly reason: string;
  readonly presented: string | undefined;
}

let claviger: TestClaviger;
const issued: Record<"right" | "revoked" | "expired" | "far", string> = {
  right: "",
  revoked: "",
  expired: "",
  far: "",
};

beforeAll(async () => {
  claviger = await startClaviger({ clock, yaml: YAML, listen: [] });
  issued.right = (await claviger.issueKey("right")).key;
  issued.revoked = await issue({ name: "revoked" });
  issued.expired = await issue({ name: "expired", expires_at: soon });
  issued.far = await issue({ name: "far", allowed_ips: ["10.0.0.0/8", "2001:db8::/32"] });
  const { json } = await claviger.control({ path: "/api/v1/keys" });
  const id = /"id":"(\w+)","name":"revoked"/.exec(JSON.stringify(json))?.[1] ?? "";
  expect((await claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` })).status).toBe(204);
  clock.advance(60_000);
  // Every refusal is judged by the token of the cluster's members, too.
  writeMember(claviger.dataDir, member);
  await vi.waitFor(() => expect(claviger.logged()).toContain("the cluster's credentials are in force"), {
    timeout: 10_000,
  });
});
afterAll(() => claviger[Symbol.asyncDispose]());

async function issue(fields: Readonly<Record<string, unknown>>): Promise<string> {
  const body = { permissions: ["gateway"], ...fields };
  const { text } = await claviger.control({ method: "POST", path: "/api/v1/keys", body });
  return /"key":"([^"]+)"/.exec(text)?.[1] ?? "";
}

/** What nobody's is, and what is wrong with keys that were issued. */
function ofKeys(): Kind[] {
  const unknown = generateApiKey(random).key.expose();
  const broken = unknown.slice(0, -1) + (unknown.endsWith("0") ? "1" : "0");
  return [
    { what: "nothing", reason: "missing", presented: undefined },
    { what: "another sort of key", reason: "malformed", presented: "sk-something" },
    { what: "a wrong checksum", reason: "malformed", presented: broken },
    { what: "a stranger", reason: "unknown", presented: unknown },
    { what: "a revoked key", reason: "revoked", presented: issued.revoked },
    { what: "an expired key", reason: "expired", presented: issued.expired },
    { what: "a key from a wrong address", reason: "wrong_address", presented: issued.far },
    { what: "another cluster's member", reason: "malformed", presented: newToken() },
    { what: "a member", reason: "not_here", presented: member },
  ];
}

function ofIdentities(): Kind[] {
  return [
    { what: "an identity of another listener", reason: "not_here", presented: elsewhere.key },
    { what: "an expired identity", reason: "expired", presented: expired.key },
    { what: "an identity from a wrong address", reason: "wrong_address", presented: far.key },
  ];
}

test.each([
  ["where keys may enter", 0, () => [...ofKeys(), ...ofIdentities().slice(0, 1)]],
  ["where keys and identities of the file may", 1, () => [...ofKeys(), ...ofIdentities()]],
  [
    "where identities of the file alone may",
    2,
    () => [...ofKeys(), ...ofIdentities(), { what: "a key", reason: "not_here", presented: issued.right }],
  ],
])(
  "[A3] over HTTP refusing takes the same time, medians of 10,000 within 5 %: %s",
  {
    timeout: 900_000,
  },
  async (_where, index, kinds) => {
    const url = new URL(claviger.app.urls[index] ?? "");
    const measured = kinds();
    await checkReasons(url, measured);
    const found: Found[] = [];
    while (found.length < ATTEMPTS) {
      found.push(spreadOf(await medians(url, measured), measured));
      if ((found.at(-1)?.spread ?? 1) <= TOLERANCE) return;
    }
    expect(Math.min(...found.map(({ spread }) => spread)), JSON.stringify(found)).toBeLessThanOrEqual(
      TOLERANCE,
    );
  },
);

/** Each is refused for its own reason: else nothing would be compared. */
async function checkReasons(url: URL, kinds: readonly Kind[]): Promise<void> {
  using line = await open(url);
  for (const { what, reason, presented } of kinds) {
    clock.advance(ONE_MORE_MS);
    const before = claviger.logged().length;
    expect(await line.ask(requestOf(url, presented)), what).toMatch(/^HTTP\/1.1 401 /);
    expect(claviger.logged().slice(before), what).toContain(`"reason":"${reason}"`);
  }
}

interface Found {
  readonly spread: number;
  readonly fastest: string;
  readonly slowest: string;
}

function spreadOf(found: readonly number[], kinds: readonly Kind[]): Found {
  const [least, most] = [Math.min(...found), Math.max(...found)];
  const named = (value: number) => `${kinds[found.indexOf(value)]?.what}: ${value} ns`;
  return { spread: (most - least) / least, fastest: named(least), slowest: named(most) };
}

/** The median time of each kind in nanoseconds, asked in turns, so that whatever slows one slows all. */
async function medians(url: URL, kinds: readonly Kind[]): Promise<number[]> {
  using line = await open(url);
  const requests = kinds.map(({ presented }) => requestOf(url, presented));
  const times = kinds.map(() => new Float64Array(ROUNDS));
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    // Another order each round: none is always the one that comes after the dearest.
    const stride = strideOf(round, kinds.length);
    for (let step = 0; step < kinds.length; step++) {
      const index = (step * stride + round) % kinds.length;
      clock.advance(ONE_MORE_MS);
      const before = process.hrtime.bigint();
      await line.ask(requests[index] ?? "");
      const taken = Number(process.hrtime.bigint() - before);
      if (round >= WARM_UP) times[index]?.set([taken], round - WARM_UP);
    }
  }
  return times.map((taken) => taken.sort()[ROUNDS / 2] ?? 0);
}

/** One that shares no factor with `count`, so that its steps meet each index once. */
function strideOf(round: number, count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  const strides = Array.from({ length: count - 1 }, (_, at) => at + 1).filter(
    (at) => divisor(at, count) === 1,
  );
  return strides[round % strides.length] ?? 1;
}

/** All of one length: a header that is left out or longer would cost the parser's time, not the gates'. */
const LONGEST = 120;

function requestOf(url: URL, presented: string | undefined): string {
  const credential = presented === undefined ? "" : `authorization: Bearer ${presented}\r\n`;
  const filling = `x-filling: ${"f".repeat(LONGEST - credential.length)}\r\n`;
  return `GET /v1/models HTTP/1.1\r\nhost: ${url.host}\r\n${credential}${filling}\r\n`;
}

interface Line extends Disposable {
  ask(request: string): Promise<string>;
}

/** A kept connection on which one request is asked after another. */
async function open(url: URL): Promise<Line> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect({ host: url.hostname, port: Number(url.port), noDelay: true }, () =>
      resolve(opened),
    );
    opened.once("error", reject);
  });
  const ask = (request: string) =>
    new Promise<string>((resolve, reject) => {
      socket.once("data", (chunk) => resolve(chunk.toString("latin1")));
      socket.removeAllListeners("close").once("close", () => reject(new Error("the connection was closed")));
      socket.write(request);
    });
  return { ask, [Symbol.dispose]: () => void socket.destroy() };
}
