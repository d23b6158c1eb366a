import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const KEY_ID = /^key_[0-9A-Za-z]{12}$/;
const found = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) }).loose();

/**
 * The id that is meant by an id or by the name of a key or identity: the key in force first, then the identity, then the key
 * that was revoked last. A word that is neither is taken for the id of one that is not known any more.
 */
export async function principalMeant(
  context: CommandContext,
  flags: LocalFlags,
  word: string,
): Promise<string> {
  if (KEY_ID.test(word)) return word;
  const query = new URLSearchParams({ search: word, limit: "100" });
  const path = `/api/v1/requests/principals?${query}`;
  const { data } = found.parse((await callLocal(context, flags, { method: "GET", path })).body);
  const meant = data.find(({ id }) => id === word) ?? data.find(({ name }) => name === word);
  if (meant !== undefined) return meant.id;
  context.output().note(`No key or identity is called ${word} now; it is taken for an id.`);
  return word;
}
