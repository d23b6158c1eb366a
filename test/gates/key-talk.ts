/** What the thread is asked. */
export type Question =
  | { readonly op: "authenticate"; readonly text: string }
  /** Asks for each text in turn until it is known. */
  | { readonly op: "await"; readonly texts: readonly string[] }
  | { readonly op: "use"; readonly slot: number; readonly nowMs: number };

/** Two threads that take turns, over memory alone: a word that says whose turn it is, and a text with its length. */
export interface Talk {
  readonly turn: Int32Array<SharedArrayBuffer>;
  readonly text: Uint8Array<SharedArrayBuffer>;
}

const TURNS = { test: 0, thread: 1 } as const;
const PATIENCE_MS = 20_000;

export function createTalk(): Talk {
  return {
    turn: new Int32Array(new SharedArrayBuffer(8)),
    text: new Uint8Array(new SharedArrayBuffer(4 * 1024 * 1024)),
  };
}

/** Says it, and gives the turn away. */
export function tell(talk: Talk, to: keyof typeof TURNS, said: unknown): void {
  const bytes = Buffer.from(JSON.stringify(said));
  talk.text.set(bytes);
  talk.turn[1] = bytes.length;
  Atomics.store(talk.turn, 0, TURNS[to]);
  Atomics.notify(talk.turn, 0);
}

export function waitForTurn(talk: Talk, whose: keyof typeof TURNS): void {
  const other = whose === "test" ? TURNS.thread : TURNS.test;
  if (Atomics.wait(talk.turn, 0, other, PATIENCE_MS) === "timed-out")
    throw new Error(`the ${whose} had no turn`);
}

export function takeText(talk: Talk): string {
  return Buffer.from(talk.text.slice(0, talk.turn[1])).toString();
}
