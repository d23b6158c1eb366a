import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { AuditRecorder } from "../recorder.ts";

const facts = z.object({
  chain: z.string(),
  public_key: z.string(),
  seq: z.number(),
  hash: z.string(),
  checkpoint_at: z.string(),
});
const example = {
  chain: "chain_1f0c5e2a9b7d4e38",
  public_key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  seq: 12,
  hash: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
  checkpoint_at: "2026-01-01T00:00:00.000Z",
} satisfies z.infer<typeof facts>;

/** `GET /api/v1/audit/chain`: where this server's chain of records is, and the public key of its checkpoints. */
export function showChainRoute(api: Api, audit: Pick<AuditRecorder, "chain">): void {
  api.route({
    method: "GET",
    url: "/api/v1/audit/chain",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/audit/chain",
        action: "audit.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary: "Show where the chain of records is, and its public key.",
      response: { 200: facts },
      example: { answer: example },
    },
    handler: async () => {
      const found = await audit.chain();
      if (found === undefined) throw new AppError("not_found", "The chain has no record yet.");
      return found;
    },
  });
}
