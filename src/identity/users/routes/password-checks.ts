import type { Exchange } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";

/** Counts what an address got wrong, of whatever kind. */
export interface AddressFailureCounter {
  /** One more, at `nowMs`. */
  failed(address: string, nowMs: number): unknown;
  /** The whole seconds for which it is not to be worked for; undefined while it is. */
  waitS(address: string, nowMs: number): number | undefined;
}

/**
 * What `work`, which judges a password, gives. It takes long, so that it is not begun for an address that got too much
 * wrong: AppError `rate_limited`.
 */
export async function judgePassword<Result>(
  addresses: AddressFailureCounter,
  { address, time }: Exchange,
  work: () => Promise<Result>,
): Promise<Result> {
  const waitS = address === null ? undefined : addresses.waitS(address, time);
  if (waitS !== undefined) {
    const words = "Too many wrong credentials came from this address.";
    throw new AppError("rate_limited", words, { retryAfterS: waitS });
  }
  try {
    return await work();
  } catch (error) {
    const isWrong = error instanceof AppError && ["sign_in_refused", "wrong_password"].includes(error.code);
    if (isWrong && address !== null) addresses.failed(address, time);
    throw error;
  }
}
