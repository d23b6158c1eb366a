import { scryptSync } from "node:crypto";
import { expect, test, vi } from "vitest";
import { argon2idEncoded } from "#platform/lib/argon2.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { claviger } from "../start/process.ts";

vi.setConfig({ testTimeout: 60_000 });

const KEY = `imported-${systemRandom.bytes(12).toString("hex")}`;
const salt = systemRandom.bytes(16);
const encode = (phc: string) => Buffer.from(phc).toString("base64");
const unpadded = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");

/** Of each kind what another program would have written into a configuration. */
const WRITTEN = {
  argon2id: () => argon2idEncoded(KEY, { memoryKib: 19_456, passes: 2, lanes: 1, salt, length: 32 }),
  scrypt: async () => {
    const hash = scryptSync(KEY, salt, 32, { cost: 2 ** 15, blockSize: 8, maxmem: 64 * 1024 * 1024 });
    return `$scrypt$ln=15,r=8,p=1$${unpadded(salt)}$${unpadded(hash)}`;
  },
};

test.each([
  "argon2id",
  "scrypt",
] as const)("[I9] validate takes an imported %s hash: 0, 1, 2 are yes, no, malformed", async (kind) => {
  const phc = await WRITTEN[kind]();
  for (const hash of [encode(phc), encode(phc.slice(1))]) {
    const yes = await claviger(["api-key", "validate", hash], { input: ` ${KEY}\n` });
    expect([yes.status, yes.stdout]).toEqual([0, "Key is valid\n"]);
    expect(yes.stderr).toMatch(/white space/i);
  }
  const no = await claviger(["api-key", "validate", encode(phc), "--key", `${KEY}x`]);
  expect([no.status, no.stdout]).toEqual([1, "Key is NOT valid: it is not the key this hash stands for\n"]);
  const greedy = encode(
    phc.replace(/\$(m|ln)=\d+/, (_, name) => `$${name}=${name === "m" ? 1_000_000 : 20}`),
  );
  const refused = await claviger(["api-key", "validate", greedy, "--json"], { input: `${KEY}\n` });
  expect(refused.status).toBe(2);
  expect(JSON.parse(refused.stdout)).toEqual({
    valid: false,
    malformed: expect.stringMatching(/ instead of (4 to 256|4096 to 262144)$/),
  });
});
