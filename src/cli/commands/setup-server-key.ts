import { serverKeyCalls } from "./key-calls.ts";
import { askTwice } from "./setup-secret.ts";
import { type SetupParts, type SetupStep, showOnce, untilTaken } from "./setup-step.ts";

const ABOUT = `The server key seals the providers' keys: whoever takes this disk, or a backup, opens nothing without it.
Every start then waits for somebody to type it.
Whoever loses it, and the recovery key too, loses what it seals: save it first, in a place that outlives this machine.`;

/** The server key: set, where the person wants one. */
export function serverKeyStep(parts: SetupParts): SetupStep {
  const { ask, say } = parts;
  const calls = serverKeyCalls(parts.context, parts.flags);
  return {
    name: "server_key",
    command: "claviger key init --recovery",
    done: async () => ((await calls.status()).initialized ? "a server key is set" : undefined),
    run: async () => {
      say(ABOUT);
      const set = await untilTaken(parts, async () => {
        const key = await askTwice(parts, "Server key, 12 characters or more; empty: later");
        if (key === undefined) return undefined;
        return calls.initialize(key, await ask.yesOrNo("Make a recovery key, too?", true));
      });
      if (set?.recovery_key !== undefined) await showOnce(parts, "the recovery key", set.recovery_key);
      return set && "a server key is set";
    },
  };
}

/** Unlocks a locked server; false where that is left for later. */
export async function unlockFirst(parts: SetupParts): Promise<boolean> {
  const calls = serverKeyCalls(parts.context, parts.flags);
  if ((await calls.status()).unlocked) return true;
  return untilTaken(parts, async () => {
    const key = await parts.ask.unseen("The server is locked. Server key; empty: later");
    if (key === undefined) return false;
    return (await calls.unlock(key)).unlocked;
  });
}
