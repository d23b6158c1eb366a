import { connect } from "node:net";
import { expect, vi } from "vitest";
import type { Answer, TestClaviger } from "#test/claviger.ts";
import { bearing } from "#test/keys/key-calls.ts";

export const NODES = ["/api/nodes", "/api/v1/nodes"];

export const ask = (claviger: TestClaviger, path: string, headers: Record<string, string> = {}) =>
  claviger.call({ path, headers });
export const statusWith = async (claviger: TestClaviger, token: string, path = "/api/nodes") =>
  (await ask(claviger, path, bearing(token))).status;

/** Settles when a request for the nodes that bears this token is answered so. */
export async function statusComes(claviger: TestClaviger, token: string, status: number): Promise<void> {
  const look = async () => expect(await statusWith(claviger, token)).toBe(status);
  await vi.waitFor(look, { timeout: 10_000, interval: 20 });
}

/** The rows of a list. */
export function dataOf({ json }: Pick<Answer, "json">): unknown[] {
  return [Object.getOwnPropertyDescriptor(json, "data")?.value].flat();
}

/** The status of a request for the nodes that comes from another address of this machine. */
export function statusFrom(localAddress: string, url: string, token: string): Promise<number> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), localAddress });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])));
    socket.write(
      `GET /api/nodes HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
  });
}
