import { request as httpRequest, type IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TestClaviger } from "#test/claviger.ts";

/** An event as a reader has it. */
export interface ReadEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One connection to `/sse`, read as it comes. */
export class Listener {
  readonly answer: IncomingMessage;
  text = "";
  /** Whether the answer came to its proper end, or was cut. */
  ended: "whole" | "cut" | undefined;

  constructor(answer: IncomingMessage) {
    this.answer = answer;
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => {
      this.text += chunk;
    });
    answer.on("error", () => undefined);
    answer.on("close", () => {
      this.ended = answer.complete ? "whole" : "cut";
    });
  }

  /** The whole events that came so far; the id of one that bore none is the last one's. */
  get events(): ReadEvent[] {
    const events: ReadEvent[] = [];
    for (const block of this.#blocks()) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      const type = /^event: (.*)$/m.exec(block)?.[1] ?? "message";
      events.push({ id: /^id: (.*)$/m.exec(block)?.[1] ?? "", type, data: JSON.parse(data) });
    }
    return events;
  }

  /** What one who comes back names. */
  get lastId(): string {
    return (
      this.#blocks()
        .findLast((block) => block.includes("id: "))
        ?.match(/^id: (.*)$/m)?.[1] ?? ""
    );
  }

  /** Settles when so many events have come. */
  async count(events: number): Promise<ReadEvent[]> {
    await this.until(() => this.events.length >= events);
    return this.events;
  }

  async until(check: () => boolean): Promise<void> {
    while (!check()) await nextTurn();
  }

  /** Settles when the connection has ended, with everything that came. */
  async end(): Promise<string> {
    await this.until(() => this.ended !== undefined);
    return this.text;
  }

  cut(): void {
    this.answer.destroy();
  }

  #blocks(): string[] {
    return this.text.split("\n\n").slice(0, -1);
  }
}

/** Listens with a key, or by the control socket where none is given; settles with the head and the first block. */
export async function listen(
  claviger: Pick<TestClaviger, "url" | "app">,
  options: { readonly key?: string; readonly from?: string; readonly query?: string } = {},
): Promise<Listener> {
  const { key, from, query = "" } = options;
  const to = key === undefined ? { socketPath: claviger.app.controlSocket } : new URL(claviger.url);
  const target = to instanceof URL ? { host: to.hostname, port: to.port } : to;
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(from === undefined ? {} : { "last-event-id": from }),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpRequest({ ...target, path: `/sse${query}`, headers, agent: false }, resolve);
    outgoing.on("error", reject);
    outgoing.end();
  });
  const listener = new Listener(answer);
  await listener.until(() => listener.ended !== undefined || listener.text.includes("\n\n"));
  return listener;
}
