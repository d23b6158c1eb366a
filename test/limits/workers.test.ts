import { expect, test } from "vitest";
import { chat, openChat, readAll, until } from "#test/gateway/bench.ts";
import { asLimited, inputReserve, startLimited } from "./bench.ts";

const WORKERS = 3;
const CLIENTS = 64;
const MORE = { max_tokens: 100, stream: true };
const RESERVE = inputReserve(MORE) + MORE.max_tokens;
const EVENT = 'data: {"choices":[{"delta":{"content":"H"}}]}\n\n';
const never = new Promise<void>(() => undefined);

test("[I14] whichever of three threads they meet, exactly as many of 64 clients pass as the bucket holds", async () => {
  await using bench = await startLimited({ requests_per_minute: 40 }, { workers: WORKERS });
  const headers = { authorization: `Bearer ${bench.limitedKey}` };
  const passed = async () => {
    const ask = () => bench.claviger.call({ path: "/v1/models", headers });
    const answers = await Promise.all(Array.from({ length: CLIENTS }, ask));
    return answers.filter(({ status }) => status === 200).length;
  };
  expect(await passed()).toBe(40);
  bench.clock.advance(15_000);
  expect(await passed()).toBe(10);
});

test("[A12] an address may fail 60 times in all, whichever of three threads it meets", async () => {
  await using bench = await startLimited({}, { workers: WORKERS });
  const headers = { authorization: `Bearer sk-claviger-${"0".repeat(12)}_${"0".repeat(49)}` };
  const ask = () => bench.claviger.call({ path: "/v1/models", headers });
  const answers = await Promise.all(Array.from({ length: 2 * CLIENTS }, ask));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(60);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(2 * CLIENTS - 60);
});

test("[I14] a thread that dies gives back the places it had, and what it had set aside counts", async () => {
  const [most, ceiling] = [24, 1_000_000];
  const limits = { concurrency: most, tokens_per_minute: ceiling };
  await using bench = await startLimited(limits, { workers: WORKERS });
  bench.upstream.behave({ kind: "slow", chunks: [EVENT, ""], until: never });
  const clients: ReturnType<typeof openChat>["outgoing"][] = [];
  let broken = 0;
  const open = async () => {
    const { outgoing, head } = openChat(asLimited(bench), chat(MORE));
    outgoing.on("error", () => undefined);
    clients.push(outgoing);
    const answer = await head;
    if (answer.statusCode === 200)
      void readAll(answer).then(() => {
        broken += 1;
      });
    return answer;
  };
  const fill = async () => {
    for (let opened = 0; ; opened++) if ((await open()).statusCode !== 200) return opened;
  };
  try {
    expect(await fill()).toBe(most);
    bench.claviger.failWorker(1);
    await until(() => bench.claviger.logged().includes("a worker thread ended"));
    await until(() => broken > 0);
    const opened = await fill();
    expect(opened).toBeGreaterThan(0);
    await until(() => broken === opened);
    const left = Number((await open()).headers["x-ratelimit-remaining-tokens"]);
    expect(left).toBe(ceiling - (most + opened) * RESERVE);
  } finally {
    for (const client of clients) client.destroy();
  }
});
