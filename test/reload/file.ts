import { writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { generateApiKey, publicHash } from "#identity/keys/index.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { type Answer, send, startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";

/** A key and what stands for it in the file. */
export interface Pair {
  readonly key: string;
  readonly hash: string;
}

export function newPair(): Pair {
  const { key } = generateApiKey(systemRandom);
  return { key: key.expose(), hash: publicHash(key) };
}

/** Names of resources to their fields: JSON is YAML. */
export type Resources = Readonly<Record<string, object>>;

/** A server whose configuration file the test writes, in front of an upstream. */
export interface FileBench extends AsyncDisposable {
  readonly claviger: TestClaviger;
  readonly upstream: Upstream;
  /** The fields of a provider that leads to the upstream. */
  readonly provider: object;
  write(resources: Resources, settings?: object): void;
  /** Asks for a reload over the control socket. */
  reload(): Promise<Answer>;
  /** A chat over the first listener, or over the one whose address ends so; the status of its answer. */
  chat(bearer: string | undefined, at?: string): Promise<number>;
}

const text = (resources: Resources, settings: object = {}) =>
  JSON.stringify({ settings, resources }, null, 1);

export async function startFileBench(
  resources: (provider: object) => Resources,
  options: TestOptions = {},
): Promise<FileBench> {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const provider = { resource_type: "Provider", kind: "openai-compatible", base_url: upstream.baseUrl };
  const yaml = text(resources(provider));
  const claviger = stack.use(await startClaviger({ listen: [], yaml, ...options }));
  return {
    claviger,
    upstream,
    provider,
    write: (written, settings) =>
      writeFileSync(path.join(claviger.dataDir, "given.yaml"), text(written, settings)),
    reload: () => claviger.control({ method: "POST", path: "/api/v1/config/reload" }),
    async chat(bearer, at = "") {
      const url = new URL(claviger.app.urls.find((each) => each.endsWith(at)) ?? "");
      const { status } = await send(
        { host: url.hostname.replace(/[[\]]/g, ""), port: url.port },
        {
          method: "POST",
          path: "/v1/chat/completions",
          headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
          body: { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "Hello" }] },
        },
      );
      return status;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const report = z.object({ restart_needed: z.array(z.string()) });
export const reportOf = (answer: Answer) => report.parse(answer.json);
