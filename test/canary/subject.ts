import { request as httpRequest, type IncomingMessage } from "node:http";
import type { EchoUpstream } from "./echo-upstream.ts";

/** A running server, and what is needed to talk to it. */
export interface Subject {
  readonly url: string;
  readonly dataDir: string;
  readonly key: string;
  readonly upstream: EchoUpstream;
  /** A key that may use the gateway and nothing else. */
  readonly lesserKey: string;
  /** A key that may read models and not use them. */
  readonly readingKey: string;
  /** The API's routes, so that each one is tried. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}

/** One request; what it brings goes out as it is. */
export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const MODEL = "echo/echo-1";
export const JSON_TYPE = { "content-type": "application/json" };

/** Sends and reads to the end, or to the cut. Gives the status; 0 when there was none. */
export function send(
  to: string | { socketPath: string },
  { method, path, headers, body }: Sending,
): Promise<number> {
  const target = typeof to === "string" ? { host: new URL(to).hostname, port: new URL(to).port } : to;
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const done = (response: IncomingMessage) => resolve(response.statusCode ?? 0);
    const options = { ...target, method, path, headers: { ...length, ...headers }, agent: false };
    const outgoing = httpRequest(options, (response) => {
      response.resume();
      response.on("error", () => done(response));
      response.on("close", () => done(response));
    });
    outgoing.on("error", () => resolve(0));
    outgoing.end(body);
  });
}

/** The headers of a JSON request with this key. */
export function auth({ key }: Pick<Subject, "key">): Record<string, string> {
  return { ...JSON_TYPE, authorization: `Bearer ${key}` };
}
