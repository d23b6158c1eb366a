import { startClaviger, type TestClaviger, type TestOptions } from "../claviger.ts";
import { FakeTimers } from "../fake-timers.ts";

export const PLENTY = 1_000_000_000_000;
/** A little less than the bound, unless that is set. */
export const TIGHT = 199_999_999;

/** A server whose disk is as full as a test says. */
export interface TightServer extends AsyncDisposable {
  readonly server: TestClaviger;
  readonly timers: FakeTimers;
  /** So many bytes are free from now on; the server looks at once. */
  setFree(bytes: number): void;
}

export async function startTight(options: TestOptions = {}): Promise<TightServer> {
  const timers = new FakeTimers();
  let free = PLENTY;
  const server = await startClaviger({ ...options, timers, freeBytes: () => free });
  return {
    server,
    timers,
    setFree: (bytes) => {
      free = bytes;
      timers.advance(2000);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
