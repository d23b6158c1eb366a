import { AppError } from "../lib/error.ts";

const MAX_DEPTH = 64;

/** Parses an API body: JSON, at most 64 levels deep, no key that would reach a prototype. */
export function parseApiBody(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text, (name, member: unknown) => {
      if (name === "__proto__") throw new AppError("unknown_field", "The field __proto__ is not accepted.");
      return member;
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("bad_request", "The body is not valid JSON.");
  }
  if (isDeeperThan(value, MAX_DEPTH))
    throw new AppError("bad_request", `The body is nested deeper than ${MAX_DEPTH} levels.`);
  return value;
}

function isDeeperThan(root: unknown, limit: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    const nested = level.filter((value) => typeof value === "object" && value !== null);
    if (nested.length > 0 && depth >= limit) return true;
    level = nested.flatMap((value) => Object.values(value ?? {}));
  }
  return false;
}
