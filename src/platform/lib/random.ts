import { randomBytes } from "node:crypto";

/** Where unpredictable bytes come from, handed in so that tests can seed it. */
export interface Random {
  bytes(length: number): Buffer;
}

export const systemRandom: Random = { bytes: (length) => randomBytes(length) };
