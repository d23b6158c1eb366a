import { Agent, request } from "node:https";
import { COMMON_PINS } from "#services/cluster/common-pins.ts";
import { firstMessage } from "./hand-joiner.ts";

/** All PINs of four digits, those first that are tried first. */
export function pinsByPopularity(): readonly string[] {
  const all = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, "0"));
  return [...COMMON_PINS, ...all.filter((pin) => !COMMON_PINS.has(pin))];
}

/** Where a member is, and what its certificate's key is. */
export interface Target {
  /** The same listener's addresses, over IPv4 and IPv6. */
  readonly urls: readonly string[];
  readonly tlsKey: string;
}

/** What a guess came to: 200 where the member answered, which tells whether the PIN is right. */
interface Guess {
  readonly status: number;
  readonly code: string | undefined;
  readonly runId: string | undefined;
}

/** Somebody who tries PINs, and comes from as many addresses as he likes. */
export class Guesser implements Disposable {
  readonly #agents = new Map<string, Agent>();
  #sent = 0;

  /** The first message with this PIN; nothing where the connection broke. */
  async guess(target: Target, pin: string): Promise<Guess> {
    const { body } = await firstMessage(pin, target.tlsKey);
    return await this.#send(target, "start", body);
  }

  /** A last message that proves nothing, which frees the member for the next guess. */
  giveUp(target: Target, runId: string): Promise<Guess> {
    return this.#send(target, "finish", { run_id: runId, finish: "", node: "", confirm: "" });
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  async #send({ urls }: Target, step: "start" | "finish", body: unknown): Promise<Guess> {
    this.#sent += 1;
    const number = this.#sent;
    const url = urls[number % urls.length] ?? "";
    const forwarded = `203.0.${number % 256}.${number % 251}, 2001:db8:${(number % 65_536).toString(16)}::1`;
    const text = JSON.stringify(body);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "x-forwarded-for": forwarded,
      forwarded: `for=${forwarded}`,
    };
    const options = { method: "POST", headers, agent: this.#agent(url, number), rejectUnauthorized: false };
    return await new Promise((resolve, reject) => {
      const outgoing = request(new URL(`/cluster/join/${step}`, url), options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => resolve(readGuess(answer.statusCode ?? 0, Buffer.concat(chunks).toString())));
      });
      outgoing.on("error", () => resolve({ status: 0, code: undefined, runId: undefined }));
      outgoing.end(text);
    });
  }

  /** All of 127.0.0.0/8 is this machine; over IPv6 it has one address. */
  #agent(url: string, number: number): Agent {
    const isIpv6 = url.includes("[");
    const localAddress = isIpv6 ? "::1" : `127.0.${number % 8}.${1 + (number % 31)}`;
    const known = this.#agents.get(localAddress);
    if (known !== undefined) return known;
    const agent = new Agent({ keepAlive: true, localAddress });
    this.#agents.set(localAddress, agent);
    return agent;
  }
}

function readGuess(status: number, text: string): Guess {
  const json: unknown = text === "" ? {} : JSON.parse(text);
  const textOf = (name: string) => {
    const value: unknown =
      typeof json === "object" && json !== null
        ? Object.entries(json).find(([key]) => key === name)?.[1]
        : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return { status, code: textOf("code"), runId: textOf("run_id") };
}
