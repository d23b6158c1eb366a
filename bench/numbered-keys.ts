import { createHash } from "node:crypto";
import { generateApiKey } from "#identity/keys/api-key.ts";

/** The key of this number: always the same, so that none need be kept. */
export function numbered(number: number): { id: string; text: string } {
  const bytes = createHash("sha512").update(String(number)).digest();
  const turns = [Buffer.concat([bytes.subarray(0, 12), bytes]), bytes.subarray(32)];
  const { id, key } = generateApiKey({ bytes: (length) => turns.shift() ?? Buffer.alloc(length) });
  return { id, text: key.expose() };
}

/** So many keys, each picked at random among the first `among`. */
export function someNumbered(howMany: number, among: number): string[] {
  return Array.from({ length: howMany }, () => numbered(Math.floor(Math.random() * among)).text);
}
