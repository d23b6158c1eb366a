import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TestClaviger } from "#test/claviger.ts";

type Spec = TestClaviger["app"]["listeners"]["specs"][number];

/** A listener on a free port of 127.0.0.1 with keys only, unless said. */
export function listenerSpec(name: string, own: Partial<Spec> = {}): Spec {
  return {
    name,
    source: "file",
    targets: [{ host: "127.0.0.1", port: 0 }],
    tls: { kind: "off" },
    serves: new Set(["gateway", "api", "dashboard", "events"]),
    entry: entryOf({}),
    allowedHosts: new Set(),
    allowedOrigins: new Set(),
    allowPlainHttp: false,
    allowUnauthenticatedRemote: false,
    ...own,
  };
}

type Listed = Extract<Spec["entry"], { readonly kind: "listed" }>;

/** Who may enter by the list; keys, unless said. */
export function entryOf(own: Partial<Listed>): Listed {
  return { kind: "listed", identities: new Set(), users: false, keys: true, cluster: false, ...own };
}

/** Applies these beside those that are open; gives their addresses in order. */
export async function addListeners(claviger: TestClaviger, ...added: readonly Spec[]): Promise<string[]> {
  const { listeners } = claviger.app;
  const before = claviger.app.urls.length;
  await listeners.apply([...listeners.specs, ...added]);
  return claviger.app.urls.slice(before);
}

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The certificate to trust, and the name to ask for. */
  readonly ca?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly socketPath?: string;
}

/** The head of an answer; its body is the caller's to read. */
export function open(url: string, asked: Asked): Promise<IncomingMessage> {
  const { hostname, port, protocol } = new URL(url);
  const { method = "GET", body, ...given } = asked;
  const where = { host: hostname.replace(/^\[|\]$/g, ""), port };
  const options = { agent: false as const, ...where, method, ...given };
  return new Promise((resolve, reject) => {
    const outgoing: ClientRequest =
      protocol === "https:" ? httpsRequest(options, resolve) : httpRequest(options, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A whole answer. */
export async function ask(
  url: string,
  asked: Asked,
): Promise<{ status: number; text: string; json: unknown }> {
  const answer = await open(url, asked);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode ?? 0, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
}

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}
