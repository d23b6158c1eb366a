import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const facts = z.object({
  chain: z.string(),
  public_key: z.string(),
  seq: z.number(),
  hash: z.string(),
  checkpoint_at: z.string(),
});

/** `audit chain`: how far the server's chain is, in the form `audit verify --known` takes, and what signs its checkpoints. */
export async function showChain(context: CommandContext, flags: LocalFlags): Promise<void> {
  const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/audit/chain" });
  const { chain, public_key: publicKey, seq, hash, checkpoint_at: signedAt } = facts.parse(body);
  context
    .output()
    .result(body, () =>
      [
        `chain ${chain}, row ${seq}:${hash}`,
        `checkpoint signed at ${signedAt}`,
        `public key ${publicKey}`,
      ].join("\n"),
    );
}
