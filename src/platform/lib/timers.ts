/** Time that passes whatever the clock is set to, handed in so that tests can hold it. */
export interface Timers {
  /** Milliseconds since some moment; never fewer than before. */
  monotonicMs(): number;
  /** Has `work` done once that many milliseconds from now, unless it is disposed of before. Keeps no process alive. */
  after(ms: number, work: () => void): Disposable;
}

export const systemTimers: Timers = {
  monotonicMs: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
