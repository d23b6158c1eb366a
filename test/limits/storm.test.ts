import { expect, test } from "vitest";
import { type Bench, openChat, type Row, readAll, rowsWhen } from "#test/gateway/bench.ts";
import { seededRandom } from "#test/seeded-random.ts";
import type { Behaviour, RecordedRequest } from "#test/upstream.ts";
import { asLimited, inputReserve, startLimited, using } from "./bench.ts";

const CLIENTS = 64;
const EACH = 3;
const MOST_OUTPUT = 200;
const never = new Promise<void>(() => undefined);
const body = (user: number, stream: boolean) => ({
  max_tokens: MOST_OUTPUT,
  user: String(user).padStart(4, "0"),
  stream,
});
const RESERVE = inputReserve(body(0, false)) + MOST_OUTPUT;

const text = (tokens: number) => `data: {"choices":[{"delta":{"content":"${"x".repeat(tokens * 4)}"}}]}\n\n`;
const END = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
const figures = (output: number) =>
  `data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":${output},"total_tokens":${20 + output}}}\n\n`;

/** What goes well and what goes wrong, by chance; `leave` is called where the client is to go. */
function fault(kind: number, output: number, stream: boolean, leave: () => void): Behaviour {
  if (kind === 0) return { kind: "error", status: 500 };
  if (kind === 1) return { kind: "cut", afterBytes: 0 };
  if (kind === 2) {
    leave();
    return { kind: "stall", after: "request", until: never };
  }
  if (!stream) return using(20, output);
  if (kind === 3) return { kind: "raw", chunks: [text(output)], broken: true };
  if (kind === 4) {
    setImmediate(leave);
    return { kind: "slow", chunks: [text(output), ""], until: never };
  }
  return { kind: "raw", chunks: [text(output), END, figures(output), "data: [DONE]\n\n"] };
}

/** Sends requests of 64 clients at once through random faults; settles with the rows of all when all are over. */
async function storm(bench: Awaited<ReturnType<typeof startLimited>>, seed: number): Promise<readonly Row[]> {
  const random = seededRandom(seed);
  const leaving = new Map<string, () => void>();
  bench.upstream.behaveBy((request: RecordedRequest) => {
    const asked = request.body.toString();
    const user = /"user":"(\d+)"/.exec(asked)?.[1] ?? "";
    const [kind = 0, output = 0] = random.bytes(2);
    const streamed = asked.includes('"stream":true');
    return fault(kind % 9, output % (MOST_OUTPUT + 1), streamed, () => leaving.get(user)?.());
  });
  const client = async (number: number) => {
    for (let asked = 0; asked < EACH; asked++) {
      const user = number * EACH + asked;
      await once(asLimited(bench), body(user, (number + asked) % 2 === 0), leaving);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  const rows = await rowsWhen(bench.claviger, CLIENTS * EACH);
  bench.upstream.behave({ kind: "ok" });
  return rows;
}

async function once(bench: Bench, asked: { user: string }, leaving: Map<string, () => void>): Promise<void> {
  const { outgoing, head } = openChat(bench, {
    model: "sim/sim-1",
    messages: [{ role: "user", content: "hello" }],
    ...asked,
  });
  outgoing.on("error", () => undefined);
  leaving.set(asked.user, () => outgoing.destroy());
  await head.then(readAll, () => undefined);
}

/** What the limit must have counted: the figures of each row, and where there are none, what was set aside. */
function settledOf(rows: readonly Row[]): number {
  const tokens = ({ status, input_tokens: input, output_tokens: output }: Row) => {
    if (input !== null || output !== null) return (input ?? 0) + (output ?? 0);
    return status === 499 || status === 502 ? RESERVE : 0;
  };
  return rows.reduce((sum, row) => sum + tokens(row), 0);
}

test.each([
  [1, 8_000, 1],
  [2, 3_000, 3],
  [3, 200, 1],
])("[I14] storm %i: 64 clients and random faults settle at most one reserve beyond %i tokens a day, with %i threads", async (seed, ceiling, workers) => {
  await using bench = await startLimited({ tokens_per_day: ceiling }, { workers });
  let { length: count } = await storm(bench, seed);
  bench.upstream.behave(using(20, 100));
  // What the storm left is used up first.
  do count += 1;
  while ((await bench.ask({ max_tokens: MOST_OUTPUT })).status === 200);
  const settled = settledOf(await rowsWhen(bench.claviger, count));
  expect(settled).toBeGreaterThanOrEqual(ceiling);
  expect(settled).toBeLessThan(ceiling + RESERVE);
  expect(await bench.ask()).toMatchObject({ status: 429, json: { error: { code: "quota_exhausted" } } });
});

test.each([
  [4, 1],
  [5, 3],
])("[I14] after storm %i, with %i threads, nothing is set aside: the rest of the day passes to the last token", async (seed, workers) => {
  const ceiling = CLIENTS * EACH * RESERVE;
  await using bench = await startLimited({ tokens_per_day: ceiling }, { workers });
  const rows = await storm(bench, seed);
  expect(rows.map(({ status }) => status)).not.toContain(429);
  const rest = ceiling - settledOf(rows);
  bench.upstream.behave(using(0, rest - 1));
  expect((await bench.ask({ max_tokens: 1 })).status).toBe(200);
  bench.upstream.behave(using(1, 0));
  expect((await bench.ask({ max_tokens: 1 })).status).toBe(200);
  expect(await bench.ask({ max_tokens: 1 })).toMatchObject({
    status: 429,
    json: { error: { code: "quota_exhausted" } },
  });
});
