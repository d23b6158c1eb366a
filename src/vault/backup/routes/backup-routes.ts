import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Backups } from "../backups.ts";
import type { BackupWanted } from "../make-backup.ts";

const PATH = "/api/v1/backup";

const body = z
  .strictObject({
    /** 12 characters at least, 4,096 bytes at most. */
    password: z.string(),
    with_config: z.boolean().default(false),
  })
  .meta({ id: "WantedBackup" });

const file = z.unknown().describe("The bytes of a backup, as docs/formats/backup.md lays them out.");
const response = { 200: { content: { "application/octet-stream": { schema: file } } } };
const EXAMPLE = "claviger-backup\n…";

/** `GET /api/v1/backup`, and `POST` for one under a password: a copy of the store, as a file that `claviger restore` takes. */
export function backupRoutes(api: Api, backups: Backups): void {
  api.route({
    method: "GET",
    url: PATH,
    // A copy would be made for a head alone.
    exposeHeadRoute: false,
    config: { contract: contractOf("GET") },
    schema: {
      summary: "Take a backup of the store, its secrets sealed as they are; a file for `claviger restore`.",
      response,
      example: { answer: EXAMPLE },
      errors: ["password_required", "backup_busy", "storage_full"],
    },
    handler: (request, reply) =>
      answer(backups, { password: undefined, withConfig: false }, { request, reply }),
  });
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: contractOf("POST") },
    schema: {
      summary: "Take a backup under a password of its own, with the configuration directory if wanted.",
      body,
      response,
      example: { body: { password: "correct horse battery staple", with_config: true }, answer: EXAMPLE },
      errors: ["backup_busy", "storage_full"],
    },
    handler: (request, reply) => {
      const { password, with_config: withConfig } = request.body;
      return answer(backups, { password: new Secret(password), withConfig }, { request, reply });
    },
  });
}

function contractOf(method: "GET" | "POST"): RouteContract {
  const action = "backup.create";
  // It looks for room itself, and leaves nothing behind.
  const contract = { method, path: PATH, action, audited: "key.backup", servedOnLowDisk: true } as const;
  return { ...contract, openWhileLocked: "local", asksPasswordAgain: true, family: "api" };
}

async function answer(
  backups: Backups,
  wanted: BackupWanted,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): Promise<FastifyReply> {
  const prepared = await backups.begin(wanted, authorOf(exchangeOf(request)));
  const stream = Readable.from(prepared.stream(), { objectMode: false });
  // Also when the client leaves, however early.
  stream.once("close", () => void prepared[Symbol.asyncDispose]());
  const name = `claviger-${prepared.facts.created.replace(/[-:]|\.\d+/g, "")}.backup`;
  return reply
    .type("application/octet-stream")
    .header("content-disposition", `attachment; filename="${name}"`)
    .send(stream);
}
