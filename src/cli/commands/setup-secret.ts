import type { Secret } from "#platform/lib/secret.ts";
import type { SetupParts } from "./setup-step.ts";

/** A new secret, typed twice, until the two are the same; undefined where the first is left empty. */
export async function askTwice(
  { ask, say }: Pick<SetupParts, "ask" | "say">,
  message: string,
): Promise<Secret | undefined> {
  for (;;) {
    const secret = await ask.unseen(message);
    if (secret === undefined) return undefined;
    const again = await ask.unseen("The same once more");
    if (again?.expose() === secret.expose()) return secret;
    say("The two are not the same.");
  }
}
