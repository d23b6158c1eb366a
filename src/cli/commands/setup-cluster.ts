import { ABOUT_THE_PIN, askStatus, beginWith, requireGoodPin } from "./cluster.ts";
import { joinWith } from "./cluster-join.ts";
import { askTwice } from "./setup-secret.ts";
import { type SetupParts, type SetupStep, untilTaken } from "./setup-step.ts";

/** The cluster: begun, or joined. */
export function clusterStep(parts: SetupParts): SetupStep {
  const { context, flags, ask, say } = parts;
  return {
    name: "cluster",
    command: "claviger cluster init, or claviger cluster join URL",
    done: async () => {
      const { status, cluster_id: id } = await askStatus(context, flags);
      if (status === "closed") return "its credential files are not as they must be: claviger doctor";
      return status === "member" ? `in the cluster ${id}` : undefined;
    },
    run: async () => {
      const answer = await ask.choice("Several servers can know each other by one PIN. This one", [
        { value: "later", label: "stays alone, for now" },
        { value: "first", label: "is the first of them" },
        { value: "join", label: "joins others that are there" },
      ]);
      if (answer === "later") return undefined;
      if (answer === "first") say(ABOUT_THE_PIN);
      const id = await untilTaken(parts, () => (answer === "first" ? begin(parts) : join(parts)));
      return id && `in the cluster ${id}`;
    },
  };
}

async function begin(parts: SetupParts): Promise<string | undefined> {
  const { context, flags, ask } = parts;
  const typed = await askTwice(parts, "PIN; empty: later");
  if (typed === undefined) return undefined;
  const agrees = (message: string) => ask.yesOrNo(message, true);
  const { made } = await beginWith(context, flags, { pin: await requireGoodPin(typed), agrees });
  return made.cluster_id ?? undefined;
}

async function join(parts: SetupParts): Promise<string | undefined> {
  const { context, flags, ask } = parts;
  const url = await ask.line("Address of a member, as https://192.168.1.20:8442; empty: later", "");
  const pin = url === "" ? undefined : await ask.unseen("PIN of the cluster; empty: later");
  if (pin === undefined) return undefined;
  const agrees = (message: string) => ask.yesOrNo(message, true);
  return (await joinWith(context, flags, { url, pin, agrees })).cluster_id;
}
