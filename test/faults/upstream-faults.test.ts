import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestOptions } from "#test/claviger.ts";
import { BROKEN_CONNECTIONS } from "./broken-connections.ts";
import type { Fault, Met, Outcome } from "./fault.ts";
import { type RawUpstream, startRawUpstream } from "./raw-upstream.ts";
import { WRONG_ANSWERS } from "./wrong-answers.ts";

const FAULTS = [...BROKEN_CONNECTIONS, ...WRONG_ANSWERS];
const SHORT_TIMEOUTS = { headersTimeoutMs: 800, bodyIdleTimeoutMs: 800 };
/** More than fits into the buffers of two sockets. */
const LONG_PROMPT = "x".repeat(12 * 1024 * 1024);
const WAYS = ["whole", "streamed"] as const;

interface Seen {
  readonly met: Met;
  readonly asked: number;
  /** The shortest time between two requests, in milliseconds; infinite when there was one. */
  readonly shortestGapMs: number;
}
type Observed = Readonly<Record<(typeof WAYS)[number], { readonly once: Seen; readonly retried: Seen }>>;

const observed = new Map<string, Observed>();

beforeAll(async () => {
  const lookup = async () => {
    throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
  };
  await using patient = await startSubject({ lookup });
  await using hurried = await startSubject({ lookup, timeouts: SHORT_TIMEOUTS });
  // Where connections are kept is each thread's own affair.
  await using single = await startSubject({ lookup }, 1);
  await using upstreams = new AsyncDisposableStack();
  const observe = async (fault: Fault, index: number) => {
    const name = `fault-${index}`;
    const upstream = await upstreamOf(fault, upstreams);
    const usual = fault.reusesConnection === true ? single : patient;
    const { claviger, key } = fault.isSilent === true ? hurried : usual;
    await claviger.addProvider(name, upstream.baseUrl, "up-credential");
    const call = async (streamed: boolean, maxRetries: number) => {
      if (fault.reusesConnection === true)
        await claviger.control({ method: "POST", path: `/api/v1/providers/${name}/test` });
      const client = new OpenAI({ baseURL: `${claviger.url}/v1`, apiKey: key, maxRetries });
      const from = upstream.askedAt.length;
      const met = await meet(client, `${name}/sim-1`, { fault, streamed });
      const times = upstream.askedAt.slice(from);
      return { met, asked: times.length, shortestGapMs: shortestGap(times) };
    };
    const inTurn = async (streamed: boolean) => ({
      once: await call(streamed, 0),
      retried: await call(streamed, 2),
    });
    observed.set(fault.name, { whole: await inTurn(false), streamed: await inTurn(true) });
  };
  await Promise.all(FAULTS.map(observe));
}, 90_000);

describe("[G6] what the official OpenAI client meets when the upstream", () => {
  for (const fault of FAULTS)
    for (const way of WAYS)
      test(`${fault.name}, ${way}`, () => {
        const { once, retried } = seen(fault)[way];
        const { met, metWithRetries = met, asked } = fault[way];
        expect([once.met, once.asked]).toEqual([met, asked[0]]);
        expect([retried.met, retried.asked]).toEqual([metWithRetries, asked[1]]);
      });
});

test("the client waits as the upstream told it to", () => {
  const { whole, streamed } = seen(FAULTS.find(({ name }) => name.startsWith("429")));
  expect(whole.retried.shortestGapMs).toBeGreaterThanOrEqual(990);
  expect(streamed.retried.shortestGapMs).toBeGreaterThanOrEqual(990);
});

test("docs/upstream-faults.md says the same", async () => {
  await expect(document()).toMatchFileSnapshot("../../docs/upstream-faults.md");
});

async function startSubject(egress: NonNullable<TestOptions["egress"]>, workers?: number) {
  const claviger = await startClaviger(workers === undefined ? { egress } : { egress, workers });
  const { key } = await claviger.issueKey("app");
  return { claviger, key, [Symbol.asyncDispose]: () => claviger[Symbol.asyncDispose]() };
}

function seen(fault: Fault | undefined): Observed {
  const found = observed.get(fault?.name ?? "");
  if (found === undefined) throw new Error("the fault was not tried");
  return found;
}

async function upstreamOf(
  { upstream, readsBody }: Fault,
  stack: AsyncDisposableStack,
): Promise<Pick<RawUpstream, "baseUrl" | "askedAt">> {
  if (upstream === "unresolved") return { baseUrl: "http://nowhere.invalid/v1", askedAt: [] };
  if (upstream !== "refused")
    return stack.use(await startRawUpstream(upstream, { readsBody: readsBody !== false }));
  const closed = await startRawUpstream(() => {});
  await closed[Symbol.asyncDispose]();
  return { baseUrl: closed.baseUrl, askedAt: [] };
}

/** Asks once and reads to the end; a result counts only when the whole text is there. */
async function meet(
  client: OpenAI,
  model: string,
  { fault, streamed }: { fault: Fault; streamed: boolean },
): Promise<Met> {
  const content = fault.readsBody === false ? LONG_PROMPT : "hello";
  const body = { model, messages: [{ role: "user" as const, content }] };
  try {
    const text = streamed ? await readStream(client, body) : await readWhole(client, body);
    expect(text, fault.name).toBe("Hello.");
    return "result";
  } catch (error) {
    if (error instanceof SyntaxError) return { raised: error.name };
    if (!(error instanceof OpenAI.APIError)) throw error;
    const status: number | undefined = error.status;
    const raised = error.constructor.name;
    return { raised, ...(status === undefined ? {} : { status }), code: String(error.code) };
  }
}

type Body = { model: string; messages: { role: "user"; content: string }[] };

async function readWhole(client: OpenAI, body: Body): Promise<string | null | undefined> {
  return (await client.chat.completions.create(body)).choices[0]?.message.content;
}

async function readStream(client: OpenAI, body: Body): Promise<string> {
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...body, stream: true }))
    text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

function shortestGap(times: readonly number[]): number {
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}

function document(): string {
  const rows = FAULTS.map(({ name, whole, streamed }) => `| ${name} | ${cell(whole)} | ${cell(streamed)} |`);
  return `# When an upstream fails

What a program on the official \`openai\` client meets, for an answer asked for whole and for a stream, and how often the
upstream is asked: with \`maxRetries: 0\`, and with the client's usual two retries. The server itself never asks twice.
\`result\` is a complete answer; everything else is raised. The table is checked by
[test/faults/upstream-faults.test.ts](../test/faults/upstream-faults.test.ts) and written by
\`npm run test:system -- test/faults/upstream-faults.test.ts -u\`.

| the upstream | whole | streamed |
| --- | --- | --- |
${rows.join("\n")}

A timeout is ten minutes before the first byte and five minutes between two bytes.
`;
}

function cell({ met, metWithRetries, asked }: Outcome): string {
  const again = metWithRetries === undefined ? "" : `, then ${words(metWithRetries)}`;
  return `${words(met)}${again}; asked ${asked[0]} / ${asked[1]}`;
}

function words(met: Met): string {
  if (met === "result") return "result";
  const status = met.status === undefined ? "" : ` ${met.status}`;
  const code = met.code === undefined ? "" : ` \`${met.code}\``;
  return `\`${met.raised}\`${status}${code}`;
}
