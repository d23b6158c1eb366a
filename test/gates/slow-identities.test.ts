import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { argon2idEncoded } from "#platform/lib/argon2.ts";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";

const ASKED = 60;
/** All but those that wait and the one or two that are computed, and some that end while the last ones arrive. */
const REFUSED = { least: 18, most: 27 };
/** So many per address that its limit of wrong ones is not met. */
const PER_ADDRESS = 15;
const FULL = "Too many credentials wait to be checked; try again.";

const random = seededRandom(31);

test("[I9] over HTTP 32 wait for a slow hash, the next is 429 at once, and keys that cost little pass", async () => {
  const key = random.bytes(24).toString("base64url");
  // Dear enough that all have arrived before more than a few are computed.
  const cost = { memoryKib: 32_768, passes: 2, lanes: 1, salt: random.bytes(16), length: 32 };
  const hash = Buffer.from(await argon2idEncoded(key, cost)).toString("base64");
  const yaml = `resources:
  imported: { resource_type: Identity, credential: { api_key: ${hash} }, permissions: gateway }
  front: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys, imported] }
`;
  // The queue is a thread's own: with several, what they refuse depends on whom the kernel gives a connection.
  await using claviger = await startClaviger({ yaml, listen: [], clock: new FakeClock(), workers: 1 });
  const url = new URL(claviger.url);
  const { key: issued } = await claviger.issueKey("cheap");
  const status = async (credential: string) =>
    (await claviger.call({ path: "/v1/models", headers: { authorization: `Bearer ${credential}` } })).status;
  const answers = await askAll(await connectAll(url), url, (number) => `wrong key number ${number}`);
  const full = answers.filter((answer) => answer.startsWith("HTTP/1.1 429 "));
  for (const answer of full) {
    expect(answer.toLowerCase()).toContain("\r\nretry-after: 1\r\n");
    expect(answer).toContain(FULL);
  }
  expect(full.length).toBeGreaterThanOrEqual(REFUSED.least);
  expect(full.length).toBeLessThanOrEqual(REFUSED.most);
  expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 401 "))).toHaveLength(ASKED - full.length);
  expect(await status(key)).toBe(200);
  const others = askAll(await connectAll(url), url, (number) => `another wrong key, number ${number}`);
  // The second was found to be right before: it does not wait again.
  expect([await status(issued), await status(key)]).toEqual([200, 200]);
  await others;
});

/** So many from each address. */
async function connectAll({ hostname: host, port }: URL): Promise<Socket[]> {
  return await Promise.all(
    Array.from({ length: ASKED }, async (_, index) => {
      const localAddress = `127.0.9.${Math.floor(index / PER_ADDRESS) + 1}`;
      const socket = connect({ host, port: Number(port), localAddress });
      await once(socket, "connect");
      return socket;
    }),
  );
}

/** Asks all at once, a connection each; gives every answer. */
async function askAll(
  sockets: readonly Socket[],
  url: URL,
  keyOf: (number: number) => string,
): Promise<string[]> {
  return await Promise.all(
    sockets.map(async (socket, number) => {
      const credential = `authorization: Bearer ${keyOf(number)}\r\n`;
      socket.write(`GET /v1/models HTTP/1.1\r\nhost: ${url.host}\r\n${credential}connection: close\r\n\r\n`);
      let text = "";
      for await (const chunk of socket) text += String(chunk);
      return text;
    }),
  );
}
