import { readFileSync } from "node:fs";
import * as z from "zod";

/** What a program sets to use a client here, and what one call asks. */
export interface Ask {
  /** Of the server, without a path. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** 0 unless said. */
  readonly maxRetries?: number;
  readonly signal?: AbortSignal;
}

export interface ToolCall {
  readonly name: string;
  readonly input: unknown;
}

/** The statuses whose error a program tells apart. */
export const STATUSES = [401, 403, 404, 429, 500] as const;
export type Status = (typeof STATUSES)[number];

/** A real client, called as its documentation says; an operation it does not have is left out. */
export interface Client {
  readonly name: string;
  readonly dialect: "openai" | "anthropic";
  readonly chat?: (ask: Ask) => Promise<string>;
  /** The text in the pieces the client gives it in. Rejects when the stream was cut. */
  readonly stream: (ask: Ask) => AsyncIterable<string>;
  readonly tool?: (ask: Ask) => Promise<ToolCall>;
  readonly streamedTool?: (ask: Ask) => Promise<ToolCall>;
  readonly embed?: (ask: Ask) => Promise<readonly number[]>;
  readonly models?: (ask: Ask) => Promise<readonly string[]>;
  /** What a program knows an error by: its class, or its status. */
  readonly kindOf: (error: unknown) => string;
  readonly errors: Readonly<Record<Status, string>>;
  /** Whether it repeats by itself what may succeed. */
  readonly retries: boolean;
  /** Whether it obeys `x-should-retry`. */
  readonly obeysShouldRetry: boolean;
}

/** A tool as JSON Schema. */
export const TOOL = {
  name: "weather",
  description: "The weather of a city",
  schema: { type: "object" as const, properties: { city: { type: "string" as const } }, required: ["city"] },
};

const packageFile = z.object({ name: z.string(), version: z.string() });

/** `name version` of an installed package. */
export function installed(name: string): string {
  const file = packageFile.parse(JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")));
  return `${file.name} ${file.version}`;
}

/** The class of an error, as `instanceof` tells it. */
export function className(error: unknown): string {
  return error instanceof Error ? error.constructor.name : String(error);
}
