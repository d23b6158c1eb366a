import { expect } from "vitest";
import * as z from "zod";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { type Answer, type Call, send } from "#test/claviger.ts";
import { UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";

/** What is known of a value that a killed server was to change: what was answered for, and what may have become of it. */
interface Known {
  answered: string | undefined;
  attempted: string | undefined;
}

const issued = z.object({ key: z.string() });
const listed = z.object({
  data: z.array(z.object({ name: z.string(), credentials: z.array(z.object({ hint: z.string() })) })),
});
/** So many credentials has each provider: they come and go together, in many steps. */
const POOL = 12;
const status = z.object({ initialized: z.boolean(), unlocked: z.boolean() });

/** A server that is killed again and again, and everything it must know by what it answered before. */
export class Model {
  readonly #dataDir: string;
  readonly #upstream: Upstream;
  readonly #serverKey: Known = { answered: undefined, attempted: undefined };
  readonly #providers = new Map<string, Known>();
  readonly #keys: string[] = [];
  #made = 0;

  constructor(dataDir: string, upstream: Upstream) {
    this.#dataDir = dataDir;
    this.#upstream = upstream;
  }

  /** How much of each was answered for. */
  get size(): { readonly providers: number; readonly keys: number; readonly serverKey: boolean } {
    const serverKey = this.#serverKey.answered !== undefined;
    return { providers: this.#providers.size, keys: this.#keys.length, serverKey };
  }

  control(call: Call): Promise<Answer> {
    return send({ socketPath: controlSocketPath(this.#dataDir) }, call);
  }

  /** Sets the server key, or exchanges it. */
  async changeServerKey(): Promise<void> {
    const { answered } = this.#serverKey;
    const [path, body] =
      answered === undefined
        ? ["initialize", (key: string) => ({ key })]
        : ["rotate", (key: string) => ({ current_key: answered, new_key: key })];
    const change = (key: string) => this.#change("POST", `/api/v1/key/${path}`, body(key));
    await this.#attempt(this.#serverKey, 200, change);
  }

  async addProvider(): Promise<void> {
    const name = `provider-${++this.#made}`;
    const known: Known = { answered: undefined, attempted: undefined };
    this.#providers.set(name, known);
    const body = { name, kind: "openai-compatible", base_url: this.#upstream.baseUrl };
    await this.#attempt(known, 201, (value) =>
      this.#change("POST", "/api/v1/providers", { ...body, credentials: poolOf(value) }),
    );
  }

  /** Exchanges the credential of the provider of this number, counted around; where there is none it makes one. */
  async changeProvider(number: number): Promise<void> {
    const whole = [...this.#providers].filter(([, known]) => known.attempted === undefined);
    const [name, known] = whole[number % whole.length] ?? [];
    if (known === undefined) return this.addProvider();
    await this.#attempt(known, 200, (value) =>
      this.#change("PATCH", `/api/v1/providers/${name}`, { credentials: poolOf(value) }),
    );
  }

  async issueKey(): Promise<void> {
    const body = { name: `key-${++this.#made}`, permissions: ["gateway"] };
    const answer = await this.#change("POST", "/api/v1/keys", body);
    expect(answer.status, answer.text).toBe(201);
    this.#keys.push(issued.parse(answer.json).key);
  }

  /** Opens it with the one key that does; then every provider, its secret and every key is as it was answered for. */
  async expectWhole(url: string): Promise<void> {
    await this.#unlock();
    const { data } = listed.parse((await this.control({ path: "/api/v1/providers?limit=1000" })).json);
    const hints = new Map(data.map(({ name, credentials }) => [name, credentials.map(({ hint }) => hint)]));
    for (const name of hints.keys()) expect(this.#providers.has(name), name).toBe(true);
    for (const [name, known] of this.#providers) {
      const there = hints.get(name);
      if (there !== undefined) {
        await this.#expectCredential(url, name, known);
        expect(there).toEqual(poolOf(known.answered ?? "").map(({ value }) => value.slice(-4)));
      } else {
        expect(known.answered, name).toBe(undefined);
        this.#providers.delete(name);
      }
    }
    for (const key of this.#keys) {
      const headers = { authorization: `Bearer ${key}` };
      expect((await this.#ask(url, { path: "/v1/models", headers })).status).toBe(200);
    }
  }

  async #unlock(): Promise<void> {
    const known = this.#serverKey;
    const { initialized } = status.parse((await this.control({ path: "/api/v1/key/status" })).json);
    if (!initialized) {
      expect(known.answered).toBe(undefined);
      known.attempted = undefined;
      return;
    }
    const unlock = async (key: string) =>
      (await this.control({ method: "POST", path: "/api/v1/key/unlock", body: { key } })).status;
    const opened: string[] = [];
    for (const key of [known.attempted, known.answered].filter((one) => one !== undefined)) {
      const answer = await unlock(key);
      expect([200, 403]).toContain(answer);
      if (answer === 200) opened.push(key);
    }
    const [key = "", ...more] = opened;
    expect(more).toEqual([]);
    // The right one last: wrong tries since then are counted, and a change that was killed may be one of them.
    expect(await unlock(key)).toBe(200);
    Object.assign(known, { answered: key, attempted: undefined });
  }

  /** The upstream sees which secret is sent. */
  async #expectCredential(url: string, name: string, known: Known): Promise<void> {
    const [key = ""] = this.#keys;
    const before = this.#upstream.requests.length;
    const body = { model: `${name}/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
    const headers = { authorization: `Bearer ${key}` };
    const answer = await this.#ask(url, { method: "POST", path: "/v1/chat/completions", headers, body });
    expect(answer.status, answer.text).toBe(200);
    const sent = this.#upstream.requests[before]?.rawHeaders.find((text) => text.startsWith("Bearer "));
    const values = [known.answered, known.attempted].filter((one) => one !== undefined);
    const value = values.find((one) => sent === `Bearer ${poolOf(one)[0]?.value}`);
    expect(value, `what was sent for ${name}`).not.toBe(undefined);
    Object.assign(known, { answered: value, attempted: undefined });
  }

  #ask(url: string, call: Call): Promise<Answer> {
    const { hostname: host, port } = new URL(url);
    return send({ host, port }, call);
  }

  #change(method: string, path: string, body: object): Promise<Answer> {
    return this.control({ method, path, body });
  }

  /** One that is not answered may have come to pass or not. */
  async #attempt(known: Known, good: number, change: (value: string) => Promise<Answer>): Promise<void> {
    const value = `sk-test-${systemRandom.bytes(24).toString("base64url")}`;
    known.attempted = value;
    const answer = await change(value);
    expect(answer.status, answer.text).toBe(good);
    known.answered = value;
    known.attempted = undefined;
  }
}

/** All of a provider's credentials, by the first; the ends, which are shown, tell one pool from another. */
function poolOf(value: string): { readonly type: "api_key"; readonly value: string }[] {
  const ends = Array.from({ length: POOL }, (_, at) => `${String(at).padStart(2, "0")}${value.slice(8, 10)}`);
  return ends.map((end) => ({ type: "api_key", value: `${value}.${end}` }));
}
