import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { MemberDigest } from "./member-digest.ts";

const random = seededRandom(23);
const newToken = () => random.bytes(32).toString("base64url");

test("[C6] the token in force is right, every other text is not, and without one nothing is", () => {
  const members = new MemberDigest();
  const [token, other] = [newToken(), newToken()];
  expect(members.termOf(token)).toBe(undefined);
  expect(members.replace(new Secret(token))).toBe(false);
  expect(members.termOf(token)).toBeDefined();
  const wrong = [undefined, "", other, `${token}A`, token.slice(1), "-".repeat(43), token.toUpperCase()];
  for (let at = 0; at < token.length; at++)
    wrong.push(`${token.slice(0, at)}${token[at] === "-" ? "_" : "-"}${token.slice(at + 1)}`);
  for (const text of wrong) expect(members.termOf(text), text).toBe(undefined);
  expect(members.replace(undefined)).toBe(true);
  for (const text of [token, ...wrong]) expect(members.termOf(text)).toBe(undefined);
});

test("[C6] no part of the digest may differ", () => {
  const members = new MemberDigest();
  const token = newToken();
  members.replace(new Secret(token));
  const term = members.termOf(token);
  const bytes = new Uint8Array(members.memory);
  const digest = [...bytes.keys()].slice(-32);
  for (const at of digest)
    for (const expected of [undefined, term]) {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(members.termOf(token), String(at)).toBe(expected);
    }
});

test("[C6] no text of a token's length stands for what is presented in another", () => {
  const members = new MemberDigest();
  members.replace(new Secret("-".repeat(43)));
  for (const text of [undefined, "", "short", "-".repeat(44)]) expect(members.termOf(text)).toBe(undefined);
  expect(members.termOf("-".repeat(43))).toBeDefined();
});

test("[C6] a term ends with its token, and not when the same is read again", () => {
  const members = new MemberDigest();
  const [first, second] = [new Secret(newToken()), new Secret(newToken())];
  members.replace(first);
  const term = members.termOf(first.expose()) ?? -1;
  expect(members.replace(new Secret(first.expose()))).toBe(false);
  expect(members.holds(term)).toBe(true);
  expect(members.replace(second)).toBe(true);
  expect([members.holds(term), members.termOf(first.expose())]).toEqual([false, undefined]);
  expect(members.replace(undefined)).toBe(true);
  expect(members.replace(undefined)).toBe(false);
  members.replace(first);
  expect(members.holds(term)).toBe(false);
  expect(members.termOf(first.expose())).not.toBe(term);
});

test("[C6] while one thread changes the token, another never takes a wrong text for it, and knows the new one at once", async () => {
  const members = new MemberDigest();
  const program = `
    import { parentPort, workerData } from "node:worker_threads";
    const { MemberDigest } = await import(workerData.module);
    const members = new MemberDigest(workerData.memory);
    const { tokens, wrong } = workerData;
    let [taken, terms] = [0, new Map()];
    parentPort.postMessage("looks");
    const end = new Int32Array(workerData.end);
    while (Atomics.load(end, 0) === 0)
      for (const token of [...tokens, wrong]) {
        const term = members.termOf(token);
        if (term === undefined) continue;
        if (token === wrong || (terms.get(term) ?? token) !== token) taken += 1;
        terms.set(term, token);
      }
    parentPort.postMessage({ taken, terms: terms.size, last: members.termOf(tokens[0]) !== undefined });
  `;
  const tokens = [newToken(), newToken()];
  const end = new SharedArrayBuffer(4);
  const module = new URL("./member-digest.ts", import.meta.url).href;
  const workerData = { memory: members.memory, tokens, wrong: newToken(), end, module };
  const other = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { workerData });
  await once(other, "message");
  for (let round = 0; round < 20_001; round++) members.replace(new Secret(tokens[round % 2] ?? ""));
  const said = once(other, "message");
  Atomics.store(new Int32Array(end), 0, 1);
  const [result] = await said;
  expect(result).toMatchObject({ taken: 0, last: true });
  expect(result.terms).toBeGreaterThan(1);
  await other.terminate();
});
