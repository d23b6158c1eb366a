import { request as httpRequest } from "node:http";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { startUpstream, UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";
import { Scraper } from "./scrape.ts";

export const MODEL = `sim/${UPSTREAM_MODEL}`;
/** The labels of the route that `chat` and `post` ask for. */
export const CHAT = { route: "/v1/chat/completions", method: "POST" };

/** A server with one upstream, its provider `sim`, and a key that may read its metrics. */
export interface Metered extends AsyncDisposable {
  readonly claviger: TestClaviger;
  readonly upstream: Upstream;
  readonly scraper: Scraper;
  readonly clock: FakeClock;
  /** A whole chat request and its answer. */
  chat(model?: string, more?: object): Promise<Answer>;
  /** A chat request whose connection the test may break; its errors are of no interest. */
  post(more: object): ReturnType<typeof httpRequest>;
}

/** The clock stands still: models are listed once, and every further call is one that a test made. */
export async function startMetered(): Promise<Metered> {
  const clock = new FakeClock();
  const upstream = await startUpstream();
  const claviger = await startClaviger({ clock });
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  const { key } = await claviger.issueKey("prometheus", ["viewer"]);
  const messages = [{ role: "user", content: "hello" }];
  return {
    claviger,
    upstream,
    scraper: new Scraper(claviger, key),
    clock,
    chat: (model = MODEL, more = {}) =>
      claviger.call({ method: "POST", path: CHAT.route, body: { model, messages, ...more } }),
    post: (more) => {
      const headers = { "content-type": "application/json" };
      const outgoing = httpRequest(claviger.url + CHAT.route, { method: "POST", headers, agent: false });
      outgoing.on("error", () => {});
      outgoing.on("response", (response) => response.on("error", () => {}).resume());
      outgoing.end(JSON.stringify({ model: MODEL, messages, ...more }));
      return outgoing;
    },
    async [Symbol.asyncDispose]() {
      await claviger[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
