import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { type Answer, type Call, send } from "#test/claviger.ts";
import { Served, scratch } from "#test/start/process.ts";
import { requiredTool } from "#test/system/required-tool.ts";
import {
  codeOf,
  cookieOf,
  firstPerson,
  freshPassword,
  logIn,
  type Person,
  withCookie,
} from "../people/person.ts";
import { type Outcome, Tally } from "./outcome.ts";

/** Three years, for which no session, lock, code or certificate lasts. */
const FAR_MS = 3 * 365 * 86_400_000;
const HOUR_MS = 60 * 60_000;
const ME = { path: "/api/v1/me" };
const LISTENER = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["users"] };
const YAML = JSON.stringify({
  resources: { plain: LISTENER, shielded: { ...LISTENER, tls: "auto" } },
});

/** A server process whose clock is moved by libfaketime, while it runs; monotonic time goes on as it does. */
class Machine implements AsyncDisposable {
  readonly #place = scratch();
  readonly #offset = join(this.#place.root, "offset");
  #server: Served | undefined;
  #offsetMs = 0;
  /** Another with each request, as the proxy of its users says. */
  #from = 0;

  /** What its clock shows. */
  get now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** From now on, also in a process that runs. */
  setClock(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    writeFileSync(this.#offset, `${offsetMs < 0 ? "" : "+"}${offsetMs / 1000}\n`);
  }

  async start(): Promise<void> {
    requiredTool("faketime");
    const config = join(this.#place.root, "claviger.yaml");
    writeFileSync(config, YAML);
    const env = {
      TRUSTED_PROXIES: "127.0.0.1",
      LD_PRELOAD: "/usr/$LIB/faketime/libfaketimeMT.so.1",
      FAKETIME_TIMESTAMP_FILE: this.#offset,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    const args = ["serve", "--data-dir", this.#place.path, "--config", config];
    this.#server = new Served(args, env, { deadlineMs: 120_000 });
    const [, url = ""] = await this.#server.says(/listens on (http:\/\/\S+)/);
    this.#server.url = url;
  }

  async stop(): Promise<void> {
    await this.#server?.kill("SIGTERM");
  }

  /** From the machine itself. */
  readonly here = {
    call: (call: Call): Promise<Answer> => {
      const { hostname: host, port } = new URL(this.#server?.url ?? "");
      return send({ host, port }, call);
    },
  };

  /** From an address of its own, so that no try stands in the way of another. */
  call(call: Call): Promise<Answer> {
    this.#from++;
    return this.here.call({
      ...call,
      headers: { "x-forwarded-for": `198.51.100.${this.#from}`, ...call.headers },
    });
  }

  /** How long from its own now, in both directions, the certificate holds that it shows; what is negative does not. */
  async certificateMs(): Promise<{ since: number; left: number }> {
    const [, port = ""] = (await this.#server?.says(/https:\/\/127\.0\.0\.1:(\d+)/)) ?? [];
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const opened = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false }, () =>
        resolve(opened),
      );
      opened.once("error", reject);
    });
    const { valid_from, valid_to } = socket.getPeerCertificate();
    socket.destroy();
    return { since: this.now - Date.parse(valid_from), left: Date.parse(valid_to) - this.now };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#place[Symbol.dispose]();
  }
}

/** What came of moving the clock: what was tried with what had ended, and what an honest user met. */
interface Moved {
  readonly outcomes: readonly Outcome[];
  /** Each a status, by what was done. */
  readonly honest: ReadonlyMap<string, number>;
  readonly certificate: { readonly since: number; readonly left: number };
}

/** Years ahead and back, in a process that runs and over a restart. */
export async function moveClock(): Promise<Moved> {
  await using machine = new Machine();
  machine.setClock(0);
  await machine.start();
  const own = await firstPerson(machine.here);
  const code = await secondFactor(machine, own);
  const [cookies, codes] = [
    new Tally("cookie of before the clock was moved by years"),
    new Tally("code of a second factor, a second time"),
  ];
  const honest = new Map<string, number>();
  const kept: string[] = [own.cookie];
  for (const [name, offsetMs] of [
    ["years ahead", FAR_MS],
    ["years back", -FAR_MS],
    ["right again", 0],
  ] as const) {
    machine.setClock(offsetMs);
    // What ended years ahead was good until then, where the clock is right again.
    for (const cookie of name === "right again" ? kept.slice(1) : kept)
      cookies.add(name, await machine.call({ ...ME, headers: withCookie(cookie) }));
    const right = { password: own.password, code: code(name === "right again" ? 1 : 0) };
    const answer = await logIn(machine, right);
    honest.set(`signs in, ${name}`, answer.status);
    codes.add(name, await logIn(machine, right));
    kept.push(cookieOf(answer).value ?? "");
    honest.set(
      `is signed in, ${name}`,
      (await machine.call({ ...ME, headers: withCookie(kept.at(-1) ?? "") })).status,
    );
    if (name === "years ahead") await lockOut(machine);
    if (name === "years back") await meetLock(machine, own.password, honest, offsetMs);
  }
  machine.setClock(-FAR_MS);
  await machine.stop();
  await machine.start();
  return { outcomes: [cookies.outcome, codes.outcome], honest, certificate: await machine.certificateMs() };
}

/** Has a code asked for at each sign-in; gives what shows the code of the machine's now, or some steps from it. */
async function secondFactor(machine: Machine, own: Person): Promise<(steps: number) => string> {
  const begun = await own.call({ method: "POST", path: "/api/v1/me/second-factor" });
  const secret = String(Object(begun.json).secret);
  const code = (steps: number) => codeOf(secret, machine.now, steps);
  const confirm = { method: "POST", path: "/api/v1/me/second-factor/confirm", body: { code: code(0) } };
  const { status, text } = await own.call(confirm);
  if (status >= 300) throw new Error(`no second factor: ${text}`);
  return code;
}

const AWAY = { "x-forwarded-for": "203.0.113.77" };

async function lockOut(machine: Machine): Promise<void> {
  for (let tries = 0; tries < 10; tries++) await logIn(machine, { password: freshPassword() }, AWAY);
  const { status } = await logIn(machine, { password: freshPassword() }, AWAY);
  if (status !== 429) throw new Error(`not locked out: ${status}`);
}

/** A lock of a time to come holds for an hour, and no longer. */
async function meetLock(
  machine: Machine,
  password: string,
  honest: Map<string, number>,
  offsetMs: number,
): Promise<void> {
  const locked = await logIn(machine, { password }, AWAY);
  honest.set("is locked out still, years back", locked.status);
  honest.set("has to wait for so many seconds at most", Number(locked.headers["retry-after"]));
  machine.setClock(offsetMs + HOUR_MS + 1_000);
  // Judged again, though a code is missing.
  honest.set("is judged an hour later", (await logIn(machine, { password }, AWAY)).status);
}
