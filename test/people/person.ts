import { systemRandom } from "#platform/lib/random.ts";
import { hotp, totpStep } from "#platform/lib/totp.ts";
import type { Answer, Call, TestClaviger } from "#test/claviger.ts";

/** A password that nobody tries. */
export function freshPassword(): string {
  return `p ${systemRandom.bytes(12).toString("hex")}`;
}

/** The attributes of the session cookie that an answer sets, by name in lower case, its value as `value`. */
export function cookieOf(answer: Answer): Record<string, string> {
  const [set = "", ...others] = [answer.headers["set-cookie"] ?? []].flat();
  if (others.length > 0) throw new Error(`several cookies: ${answer.text}`);
  const [pair = "", ...attributes] = set.split("; ");
  const named = attributes.map((each) => [each.split("=")[0]?.toLowerCase() ?? "", each.split("=")[1] ?? ""]);
  return { value: pair.replace(/^claviger_session=/, ""), ...Object.fromEntries(named) };
}

/** As a browser sends it. */
export function withCookie(value: string): { readonly cookie: string } {
  return { cookie: `claviger_session=${value}` };
}

export function logIn(
  server: Pick<TestClaviger, "call">,
  body: { readonly username?: string; readonly password: string; readonly code?: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return server.call({ method: "POST", path: "/login/password", body, headers });
}

/** Somebody who signed in: his cookie moves with what he is answered. */
export class Person {
  cookie: string;
  password: string;
  readonly #server: Pick<TestClaviger, "call">;

  constructor(server: Pick<TestClaviger, "call">, signedIn: { cookie: string; password: string }) {
    this.#server = server;
    this.cookie = signedIn.cookie;
    this.password = signedIn.password;
  }

  async call(call: Call): Promise<Answer> {
    const headers = { ...withCookie(this.cookie), ...call.headers };
    const answer = await this.#server.call({ ...call, headers });
    if (answer.headers["set-cookie"] !== undefined) this.cookie = cookieOf(answer).value ?? "";
    return answer;
  }

  async status(call: Call): Promise<number> {
    return (await this.call(call)).status;
  }

  changePassword(next: string, current = this.password): Promise<Answer> {
    const body = { current_password: current, new_password: next };
    return this.call({ method: "PUT", path: "/api/v1/me/password", body });
  }
}

/** Signs in, and throws where that is refused. */
export async function person(
  server: Pick<TestClaviger, "call">,
  password: string,
  username = "admin",
): Promise<Person> {
  const answer = await logIn(server, { username, password });
  if (answer.status !== 200) throw new Error(`not signed in: ${answer.status} ${answer.text}`);
  return new Person(server, { cookie: cookieOf(answer).value ?? "", password });
}

/** The first user of a fresh server that only this machine reaches, with a password of his own. */
export async function firstPerson(
  server: Pick<TestClaviger, "call">,
  password = freshPassword(),
): Promise<Person> {
  const first = await person(server, "123456");
  const changed = await first.changePassword(password);
  if (changed.status !== 204) throw new Error(`not changed: ${changed.text}`);
  first.password = password;
  return first;
}

/** The code that an authenticator app shows for a seed in base32, at a time or some steps from it. */
export function codeOf(secret: string, nowMs: number, steps = 0): string {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return hotp(Uint8Array.from(bytes.map((byte) => Number.parseInt(byte, 2))), totpStep(nowMs) + steps);
}
