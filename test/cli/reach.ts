import { expect } from "vitest";
import { publicPath } from "#platform/http/openapi.ts";
import type { TestClaviger } from "../claviger.ts";
import { claviger } from "../start/process.ts";

/** Operations below `/api/v1`, the command line that reaches them, and what it is given on stdin. */
export type Row = readonly [operations: readonly string[], words: readonly string[], input?: string];

/** Operations that a command was seen to ask for, and a server to carry out. */
export class Reach {
  readonly operations = new Set<string>();

  /** Does `work`, and sees by the server's own log that each of `operations` was carried out meanwhile. */
  async by(server: TestClaviger, operations: readonly string[], work: () => Promise<unknown>): Promise<void> {
    const from = server.logged().length;
    await work();
    await expect.poll(() => carriedOut(server, from)).toEqual(expect.arrayContaining([...operations]));
    for (const operation of operations) this.operations.add(operation);
  }

  /** Runs each command line in turn. */
  async byRows(server: TestClaviger, rows: readonly Row[]): Promise<void> {
    for (const [operations, words, input] of rows) {
      const names = operations.map((operation) => operation.replace(" ", " /api/v1"));
      await this.by(server, names, async () => {
        const env = { DATA_DIR: server.dataDir };
        const ended = await claviger(words, { env, ...(input === undefined ? {} : { input }) });
        expect([words.join(" "), ended]).toEqual([words.join(" "), { ...ended, status: 0 }]);
      });
    }
  }
}

/** What the server carried out since it had logged `from` characters. */
function carriedOut(server: TestClaviger, from: number): string[] {
  const lines = server.logged().slice(from).split("\n");
  return lines.flatMap((line) => {
    if (!line.includes('"msg":"request"')) return [];
    const { method, route, status }: { method: string; route: string; status: number } = JSON.parse(line);
    return status < 300 ? [`${method} ${publicPath(route)}`] : [];
  });
}
