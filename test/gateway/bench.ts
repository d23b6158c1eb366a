import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as z from "zod";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { startUpstream, UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";

/** A server with one provider `sim` in front of a simulated upstream, and a key for it. */
export interface Bench extends AsyncDisposable {
  readonly upstream: Upstream;
  readonly claviger: TestClaviger;
  readonly id: string;
  readonly key: string;
  /** What the server presents to the upstream. */
  readonly credential: string;
}

export const MODEL = `sim/${UPSTREAM_MODEL}`;
/** A chat request; `stream` and anything else on top. */
export const chat = (more: object = {}) => ({
  model: MODEL,
  messages: [{ role: "user" as const, content: "hello" }],
  ...more,
});

export async function startBench(
  options: TestOptions = {},
  dialect: "openai" | "anthropic" = "openai",
): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ listsApart: true, dialect }));
  const claviger = stack.use(await startClaviger(options));
  const credential = `up-"${seededRandom(5).bytes(16).toString("hex")}`;
  const listing = upstream.nextListing();
  await claviger.addProvider("sim", upstream.baseUrl, credential, `${dialect}-compatible`);
  await listing;
  const { id, key } = await claviger.issueKey("app");
  return { upstream, claviger, id, key, credential, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const rows = z.object({
  data: z.array(
    z.object({
      time: z.string(),
      request_id: z.string(),
      principal: z.string(),
      provider: z.string().nullable(),
      model: z.string(),
      status: z.number(),
      latency_ms: z.number(),
      first_byte_ms: z.number().nullable(),
      input_tokens: z.number().nullable(),
      output_tokens: z.number().nullable(),
      cost_usd: z.number().nullable(),
      streamed: z.boolean(),
    }),
  ),
});
export type Row = z.infer<typeof rows>["data"][number];

/** The request rows, newest first. */
export async function requestRows(claviger: TestClaviger): Promise<Row[]> {
  const { json } = await claviger.control({ path: "/api/v1/requests?limit=1000" });
  return rows.parse(json).data;
}

/** The request rows once there are so many. */
export async function rowsWhen(claviger: TestClaviger, count: number): Promise<Row[]> {
  for (;;) {
    const found = await requestRows(claviger);
    if (found.length >= count) return found;
  }
}

/** A chat request whose answer is read by hand; settles with its head. */
export function openChat(
  bench: Bench,
  body: object,
): { outgoing: ClientRequest; head: Promise<IncomingMessage> } {
  const headers = { authorization: `Bearer ${bench.key}`, "content-type": "application/json" };
  const outgoing = httpRequest(`${bench.claviger.url}/v1/chat/completions`, { method: "POST", headers });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
  head.catch(() => undefined);
  outgoing.end(JSON.stringify(body));
  return { outgoing, head };
}

/** Everything still to come of an answer, or the text so far when it is cut. */
export async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  } catch {
    // Cut: what came is the answer.
  }
  return Buffer.concat(chunks).toString();
}

/** Lets everything that is ready run, until `check` holds. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await nextTurn();
}
