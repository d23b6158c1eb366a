import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { seededRandom } from "#test/seeded-random.ts";

/** A request as the API got it; its body is the handler's to read. */
export interface Arrived {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  header(name: string): string | undefined;
  /** Settles when the answer has ended or its connection is gone. */
  readonly closed: Promise<void>;
  readonly message: IncomingMessage;
}

export type Handler = (response: ServerResponse, arrived: Arrived) => void | Promise<void>;

/** Any HTTP API, that does what each test says. */
interface SimulatedApi extends AsyncDisposable {
  /** Ends in `/base`. */
  readonly baseUrl: string;
  readonly server: Server;
  readonly arrivals: readonly Arrived[];
  /** How it answers from now on. */
  handle(handler: Handler): void;
  /** Settles with the request of this index once its head has arrived. */
  arrived(index: number): Promise<Arrived>;
}

/** Answers 200 `ok`, whatever the body was. */
export const answerOk: Handler = async (response, { message }) => {
  for await (const _chunk of message);
  response.end("ok");
};

export async function startApi(): Promise<SimulatedApi> {
  const arrivals: Arrived[] = [];
  const waiting = new Map<number, (arrived: Arrived) => void>();
  let handler: Handler = answerOk;
  const server = createServer((message, response) => {
    const arrived: Arrived = {
      method: message.method ?? "",
      target: message.url ?? "",
      rawHeaders: message.rawHeaders,
      header: (name) => headerOf(message.rawHeaders, name),
      closed: new Promise((resolve) => response.once("close", resolve)),
      message,
    };
    const index = arrivals.push(arrived) - 1;
    waiting.get(index)?.(arrived);
    Promise.resolve(handler(response, arrived)).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the API has no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}/base`,
    server,
    arrivals,
    handle: (next) => {
      handler = next;
    },
    arrived: (index) => {
      const there = arrivals[index];
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.set(index, resolve));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server that publishes the simulated API as `x/things`, and a key for it. */
export interface ApiBench extends AsyncDisposable {
  readonly api: SimulatedApi;
  readonly claviger: TestClaviger;
  readonly id: string;
  readonly key: string;
  readonly credential: string;
  /** `http://…/x/things`. */
  readonly url: string;
}

export async function startApiBench(
  options: { readonly provider?: object; readonly server?: TestOptions } = {},
): Promise<ApiBench> {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await startApi());
  const claviger = stack.use(await startClaviger(options.server));
  const credential = `up-"${seededRandom(7).bytes(16).toString("hex")}`;
  await publish(claviger, "things", api.baseUrl, { credential, options: options.provider ?? {} });
  const { id, key } = await claviger.issueKey("app");
  const url = `${claviger.url}/x/things`;
  return { api, claviger, id, key, credential, url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Adds a provider of kind `http` over the control socket. */
export async function publish(
  claviger: TestClaviger,
  name: string,
  baseUrl: string,
  more: { readonly credential?: string; readonly options?: object } = {},
): Promise<void> {
  const credentials = more.credential === undefined ? [] : [{ type: "api_key", value: more.credential }];
  const body = { name, kind: "http", base_url: baseUrl, credentials, options: more.options ?? {} };
  const answer = await claviger.control({ method: "POST", path: "/api/v1/providers", body });
  if (answer.status !== 201) throw new Error(`the API was not published: ${answer.text}`);
}

interface Asked {
  readonly outgoing: ClientRequest;
  readonly head: Promise<IncomingMessage>;
}

/** A request whose body is sent and whose answer is read by hand. `path` goes as it is. */
export function open(
  bench: Pick<ApiBench, "claviger" | "key">,
  path: string,
  more: { method?: string; headers?: Record<string, string | string[]> } = {},
): Asked {
  const { hostname, port } = new URL(bench.claviger.url);
  const headers = { authorization: `Bearer ${bench.key}`, ...more.headers };
  const outgoing = httpRequest({ hostname, port, path, method: more.method ?? "GET", headers, agent: false });
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
  head.catch(() => undefined);
  return { outgoing, head };
}

interface Whole {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Whether it ended as it should. */
  readonly complete: boolean;
}

/** The same, with its answer read whole. */
export async function ask(
  bench: Pick<ApiBench, "claviger" | "key">,
  path: string,
  more: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Whole> {
  const { outgoing, head } = open(bench, path, more);
  outgoing.end(more.body);
  return whole(await head);
}

export async function whole(answer: IncomingMessage): Promise<Whole> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  } catch {
    // Cut: what came is the answer.
  }
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    rawHeaders: answer.rawHeaders,
    body: Buffer.concat(chunks),
    complete: answer.complete,
  };
}

function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : rawHeaders[at + 1];
}
