import { UPSTREAM_MODEL } from "#test/upstream.ts";
import { type HeldConnection, holdConnections } from "#test/workers/held-connections.ts";
import type { DeclaredBench } from "./declared-bench.ts";

/** A connection to every thread, over which models are asked for; what is given is the status of each answer. */
interface AskedThreads extends Disposable {
  ask(provider: string): Promise<number[]>;
  /** Of the first thread only. */
  askFirst(provider: string): Promise<number>;
  /** For the upstream's model by its bare name. */
  askBare(): Promise<number[]>;
}

/** Nothing else may send requests meanwhile. */
export async function holdAll(bench: DeclaredBench, workers: number): Promise<AskedThreads> {
  const held = await holdConnections(bench.claviger, workers);
  const one = async (connection: HeldConnection | undefined, model: string) => {
    const headers = { authorization: `Bearer ${bench.key}` };
    const asked = { method: "POST", path: "/v1/embeddings", headers, body: { model, input: "x" } };
    return (await connection?.ask(asked))?.status ?? 0;
  };
  const every = (model: string) => Promise.all(held.byThread.map((connection) => one(connection, model)));
  return {
    ask: (provider) => every(`${provider}/${UPSTREAM_MODEL}`),
    askFirst: (provider) => one(held.byThread[0], `${provider}/${UPSTREAM_MODEL}`),
    askBare: () => every(UPSTREAM_MODEL),
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}
