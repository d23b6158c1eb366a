import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Answer, errorBody, events, json, UPSTREAM_MODEL, usualAnswer } from "./upstream-answers.ts";
import { anthropicAnswer, anthropicError, CLAUDE } from "./upstream-anthropic.ts";

/** What a request brought; `closed` is settled when its answer ended or its connection was closed. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly closed: Promise<void>;
}

/** How the upstream answers from now on. Waiting is ended by the test's own promise. */
export type Behaviour =
  | { kind: "ok" }
  /** The connection breaks after so many bytes of the body. */
  | { kind: "cut"; afterBytes: number }
  /** Nothing more until `until` settles: before the headers, or after so many bytes of the body. */
  | { kind: "stall"; after: "request" | number; until: Promise<void> }
  /** An error in OpenAI's shape; `status: 200` for an error that looks like success. */
  | { kind: "error"; status: number; headers?: Readonly<Record<string, string>> }
  /** A stream whose first event is an error. */
  | { kind: "error-first" }
  /** A 401 that repeats the credential in a header and in its body. */
  | { kind: "echo-credential" }
  | { kind: "redirect"; location: string }
  /** These chunks, one write each, then a proper end or a broken connection. */
  | {
      kind: "raw";
      status?: number;
      headers?: Readonly<Record<string, string>>;
      chunks: readonly (string | Buffer)[];
      broken?: boolean;
    }
  /** The first of these chunks, and the others when `until` settles. */
  | { kind: "slow"; type?: string; chunks: readonly string[]; until: Promise<void> }
  /** So many bytes in chunks of 64 KiB, as fast as they are taken; each an event of a chat stream, where said. */
  | { kind: "flood"; bytes: number; events?: boolean }
  | { kind: "huge"; bytes: number };

export { SPEECH, UPSTREAM_MODEL } from "./upstream-answers.ts";

export interface Upstream extends AsyncDisposable {
  /** Ends in `/v1`, but for an Anthropic upstream. */
  readonly baseUrl: string;
  /** In the order of their arrival; with `listsApart` without the model lists, for which the server asks by itself. */
  readonly requests: readonly RecordedRequest[];
  /** How often `GET /v1/models` was asked. */
  readonly listed: number;
  /** Bytes of a slow answer that went out so far. */
  readonly wrote: number;
  /** Bytes of a flood that went out so far. */
  readonly flooded: number;
  /** Connections accepted so far. */
  readonly connections: number;
  behave(behaviour: Behaviour): void;
  /** Answers each request from now on as `choose` says, but for model lists. */
  behaveBy(choose: (request: RecordedRequest) => Behaviour): void;
  /** Settles when the model list is next asked for after this call. */
  nextListing(): Promise<void>;
  /** Settles with the request of this index (from 0) once it has arrived whole. */
  arrived(index: number): Promise<RecordedRequest>;
}

interface UpstreamOptions {
  readonly models?: readonly string[];
  readonly listsApart?: boolean;
  /** `openai` unless said. */
  readonly dialect?: "openai" | "anthropic";
}

/**
 * An upstream on 127.0.0.1, any port. OpenAI-style: chat and responses (streamed and not), embeddings, models, media;
 * Anthropic-style: messages (streamed and not), token counts, models in pages.
 */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const sim = new Simulation(options);
  const server = createServer((message, response) => sim.serve(message, response));
  server.on("connection", () => {
    sim.connections += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");
  return Object.assign(sim, {
    baseUrl: `http://127.0.0.1:${address.port}${options.dialect === "anthropic" ? "" : "/v1"}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

class Simulation {
  readonly requests: RecordedRequest[] = [];
  connections = 0;
  listed = 0;
  wrote = 0;
  flooded = 0;
  readonly #models: readonly string[];
  readonly #listsApart: boolean;
  readonly #anthropic: boolean;
  readonly #waiting = new Map<number, (request: RecordedRequest) => void>();
  #behaviour: Behaviour = { kind: "ok" };
  #choose: ((request: RecordedRequest) => Behaviour) | undefined;
  #listing = Promise.withResolvers<void>();

  constructor(options: UpstreamOptions) {
    this.#anthropic = options.dialect === "anthropic";
    this.#models = options.models ?? [this.#anthropic ? CLAUDE : UPSTREAM_MODEL];
    this.#listsApart = options.listsApart === true;
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.#choose = undefined;
  }

  behaveBy(choose: (request: RecordedRequest) => Behaviour): void {
    this.#choose = choose;
  }

  nextListing(): Promise<void> {
    return this.#listing.promise;
  }

  arrived(index: number): Promise<RecordedRequest> {
    const there = this.requests[index];
    return there ? Promise.resolve(there) : new Promise((resolve) => this.#waiting.set(index, resolve));
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await record(message, response);
    const chosen = request.method === "POST" ? this.#choose?.(request) : undefined;
    const behaviour = chosen ?? this.#behaviour;
    this.#note(request);
    switch (behaviour.kind) {
      case "raw":
        return deliverRaw(response, behaviour);
      case "slow":
        return this.#deliverSlow(response, behaviour);
      case "flood":
        return flood(response, behaviour, (bytes) => {
          this.flooded += bytes;
        });
      default:
        return deliver(response, this.#answerFor(request, behaviour), behaviour);
    }
  }

  #answerFor(request: RecordedRequest, behaviour: Fixed): Answer {
    if (!this.#anthropic) return answerFor(request, behaviour, () => usualAnswer(request, this.#models));
    if (behaviour.kind === "error") {
      const answer = json(behaviour.status, anthropicError(behaviour.status, "the simulated upstream fails"));
      return {
        ...answer,
        headers: { ...answer.headers, "request-id": "req_of_the_upstream", ...behaviour.headers },
      };
    }
    return answerFor(
      request,
      behaviour,
      () => anthropicAnswer(request, this.#models) ?? json(404, anthropicError(404, "no such path")),
    );
  }

  #note(request: RecordedRequest): void {
    const isList = request.method === "GET" && /^\/v1\/models(\?|$)/.test(request.path);
    if (!isList || !this.#listsApart) {
      const index = this.requests.push(request) - 1;
      this.#waiting.get(index)?.(request);
    }
    if (!isList) return;
    this.listed += 1;
    this.#listing.resolve();
    this.#listing = Promise.withResolvers<void>();
  }

  async #deliverSlow(response: ServerResponse, behaviour: Behaviour & { kind: "slow" }): Promise<void> {
    const [first = "", ...rest] = behaviour.chunks;
    response.writeHead(200, { "content-type": behaviour.type ?? "text/event-stream" });
    response.write(first, () => {
      this.wrote += first.length;
    });
    await behaviour.until;
    response.end(rest.join(""));
  }
}

async function record(message: IncomingMessage, response: ServerResponse): Promise<RecordedRequest> {
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return {
    method: message.method ?? "",
    path: message.url ?? "",
    rawHeaders: message.rawHeaders,
    body: Buffer.concat(chunks),
    closed,
  };
}

async function deliver(response: ServerResponse, answer: Answer, behaviour: Behaviour): Promise<void> {
  if (behaviour.kind === "stall" && behaviour.after === "request") await behaviour.until;
  response.writeHead(answer.status, answer.headers);
  if (behaviour.kind === "cut") {
    response.write(answer.body.subarray(0, behaviour.afterBytes), () => response.destroy());
    return;
  }
  if (behaviour.kind === "stall" && behaviour.after !== "request") {
    response.write(answer.body.subarray(0, behaviour.after));
    await behaviour.until;
    response.end(answer.body.subarray(behaviour.after));
    return;
  }
  response.end(answer.body);
}

function deliverRaw(response: ServerResponse, behaviour: Behaviour & { kind: "raw" }): void {
  response.writeHead(behaviour.status ?? 200, behaviour.headers ?? { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (const chunk of behaviour.chunks) response.write(chunk);
  if (behaviour.broken === true) response.write("", () => response.destroy());
  else response.end();
}

function flood(
  response: ServerResponse,
  { bytes, events = false }: Extract<Behaviour, { kind: "flood" }>,
  sent: (bytes: number) => void,
): void {
  // What is read as one object begins and ends like one.
  const [before, after] = events ? ['data: {"x":"', '"}\n\n'] : ["{", "}"];
  const chunk = Buffer.from(`${before}${"x".repeat(64 * 1024 - before.length - after.length)}${after}`);
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      const goesOn = response.write(chunk, (error) => error ?? sent(chunk.length));
      if (!goesOn) return;
    }
    response.end();
  };
  const type = events ? "text/event-stream" : "application/octet-stream";
  response.writeHead(200, { "content-type": type });
  response.on("drain", more);
  more();
}

type Fixed = Exclude<Behaviour, { kind: "raw" | "slow" | "flood" }>;

function answerFor(request: RecordedRequest, behaviour: Fixed, usual: () => Answer): Answer {
  switch (behaviour.kind) {
    case "error": {
      const answer = json(behaviour.status, errorBody("the simulated upstream fails"));
      return { ...answer, headers: { ...answer.headers, ...behaviour.headers } };
    }
    case "echo-credential": {
      const at = request.rawHeaders.findIndex((name) => /^(authorization|x-api-key)$/i.test(name));
      const credential = request.rawHeaders[at + 1] ?? "";
      const answer = json(401, errorBody(`Incorrect API key provided: ${credential}`));
      return { ...answer, headers: { ...answer.headers, "x-echo": credential } };
    }
    case "error-first":
      return events([errorBody("overloaded")]);
    case "redirect":
      return { status: 302, headers: { location: behaviour.location }, body: Buffer.alloc(0) };
    case "huge":
      return json(200, { id: "huge", padding: "x".repeat(behaviour.bytes) });
    case "ok":
    case "cut":
    case "stall":
      return usual();
    default:
      return behaviour satisfies never;
  }
}
