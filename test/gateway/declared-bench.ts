import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { type DeclaredProvider, providerResourceKind } from "#services/gateway/index.ts";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";

/** A server without providers, a key for it, an upstream and a directory for files with credentials. */
export interface DeclaredBench extends AsyncDisposable {
  readonly claviger: TestClaviger;
  readonly upstream: Upstream;
  readonly key: string;
  readonly directory: string;
  /** The status and the code of an answer to a request for a model of this provider. */
  ask(provider: string): Promise<readonly [status: number, code: string | undefined]>;
  /** Sets a secret over the API; the status of the answer. */
  setSecret(name: string, value: string): Promise<number>;
}

export const freshValue = () => systemRandom.bytes(16).toString("hex");

/** A provider as the file would declare it, of kind openai-compatible unless said. */
export function declared(name: string, fields: object): DeclaredProvider {
  const given = providerResourceKind.whole.parse({ kind: "openai-compatible", ...fields });
  const { kind, base_url: baseUrl, options = {}, credential, credentials } = given;
  const sources = credentials ?? (credential === undefined ? [] : [credential]);
  return { name: resourceName.parse(name), kind, baseUrl, options, credentials: sources };
}

/** The credentials that were presented to an upstream, in the order of the requests. */
export function presentedTo(upstream: Upstream): readonly (string | undefined)[] {
  return upstream.requests.map(({ rawHeaders }) =>
    rawHeaders.find((text) => text.startsWith("Bearer "))?.slice("Bearer ".length),
  );
}

export async function startDeclaredBench(options: TestOptions = {}): Promise<DeclaredBench> {
  const stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "claviger-named-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const upstream = stack.use(await startUpstream({ listsApart: true }));
  const claviger = stack.use(await startClaviger(options));
  const { key } = await claviger.issueKey("app");
  return {
    claviger,
    upstream,
    key,
    directory,
    async ask(provider) {
      const answer = await claviger.call({
        method: "POST",
        path: "/v1/embeddings",
        headers: { authorization: `Bearer ${key}` },
        body: { model: `${provider}/sim-1`, input: "x" },
      });
      return [answer.status, errorShape.safeParse(answer.json).data?.error.code];
    },
    async setSecret(name, value) {
      const path = `/api/v1/credentials/${name}`;
      return (await claviger.control({ method: "PUT", path, body: { value } })).status;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const errorShape = z.object({ error: z.object({ code: z.string() }) });
