import * as z from "zod";
import { OPEN, type RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { DiskStatus } from "#platform/storage/disk-watch.ts";

export interface ServerFacts {
  readonly version: string;
  readonly nodeId: string;
  readonly sealStatus: () => { readonly initialized: boolean; readonly unlocked: boolean };
  readonly listeners: () => readonly string[];
  readonly startedAt: number;
  readonly disk: () => DiskStatus;
}

const open = (path: string, family: RouteContract["family"]): RouteContract => ({
  method: "GET",
  path,
  action: OPEN,
  openWhileLocked: true,
  family,
});
const seal = z.object({ initialized: z.boolean(), unlocked: z.boolean() });
/** `low`: changes are refused; `full`: those that go on take of the reserve. */
const diskShape = z
  .object({
    state: z.enum(["ok", "low", "full"]),
    free_bytes: z.number(),
    low_bytes: z.number(),
    reserve_bytes: z.number(),
  })
  .meta({ id: "Disk" });
const ok = z.object({ status: z.string() });
const UNLOCKED = { initialized: true, unlocked: true };

/** What is open without credentials, and the operator's status. */
export function infoRoutes(api: Api, facts: ServerFacts): void {
  for (const path of ["/health", "/healthz"]) {
    api.route({
      method: "GET",
      url: path,
      config: { contract: open(path, "probe") },
      schema: {
        summary: "Tell that the process is alive.",
        response: { 200: ok },
        example: { answer: { status: "ok" } },
      },
      handler: async () => ({ status: "ok" }),
    });
  }
  api.route({
    method: "GET",
    url: "/readyz",
    config: { contract: open("/readyz", "probe") },
    schema: {
      summary: "Tell whether requests are served: 503 while the server is locked.",
      response: { 200: ok, 503: ok },
      example: { answer: { status: "ok" } },
    },
    handler: async (_request, reply) =>
      facts.sealStatus().unlocked ? { status: "ok" } : reply.code(503).send({ status: "locked" }),
  });
  api.route({
    method: "GET",
    url: "/api/v1/info",
    config: { contract: open("/api/v1/info", "api") },
    schema: {
      summary: "Name the server, its version and its state.",
      response: {
        200: seal.extend({ name: z.string(), version: z.string(), node_id: z.string(), auth: z.string() }),
      },
      example: {
        answer: {
          name: "claviger",
          version: "0.1.0",
          node_id: "node_0123456789abcdef",
          ...UNLOCKED,
          auth: "enabled",
        },
      },
    },
    handler: async (request) => ({
      name: "claviger",
      version: facts.version,
      node_id: facts.nodeId,
      ...facts.sealStatus(),
      auth: exchangeOf(request).listener.entry.kind === "open" ? "disabled" : "enabled",
    }),
  });
  api.route({
    method: "GET",
    url: "/api/v1/status",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/status",
        action: "nodes.read",
        openWhileLocked: "local",
        family: "api",
      },
    },
    schema: {
      summary: "Show the running process and where it listens.",
      response: {
        200: seal.extend({
          version: z.string(),
          pid: z.number(),
          started_at: z.string(),
          listeners: z.array(z.string()),
          disk: diskShape,
        }),
      },
      example: {
        answer: {
          version: "0.1.0",
          pid: 4711,
          started_at: "2026-01-01T00:00:00.000Z",
          listeners: ["http://127.0.0.1:8441"],
          disk: {
            state: "ok",
            free_bytes: 8_000_000_000,
            low_bytes: 200_000_000,
            reserve_bytes: 8_000_000,
          },
          ...UNLOCKED,
        },
      },
    },
    handler: async () => ({
      version: facts.version,
      pid: process.pid,
      started_at: new Date(facts.startedAt).toISOString(),
      listeners: [...facts.listeners()],
      disk: diskAnswer(facts.disk()),
      ...facts.sealStatus(),
    }),
  });
}

function diskAnswer({ state, freeBytes, lowBytes, reserveBytes }: DiskStatus): z.infer<typeof diskShape> {
  return { state, free_bytes: freeBytes, low_bytes: lowBytes, reserve_bytes: reserveBytes };
}
