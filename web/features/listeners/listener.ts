import type { Schemas } from "#lib/api-types.ts";

export type Listener = Schemas["Listener"];
export type Certificate = Listener["certificates"][number];

const ENTRANTS: Readonly<Record<string, string>> = {
  users: "people who sign in",
  keys: "API keys issued here",
  cluster: "members of the cluster",
};
/** From here on somebody has to act, and does not have much time any more. */
const SOON_DAYS = 30;
const URGENT_DAYS = 7;

/** Who gets in, in words; identities of the file by their names. */
export function entrantsOf({ auth, anonymous_permissions, loopback_only }: Listener): string[] {
  if (auth === null) return [`anyone, with ${anonymous_permissions ?? "no"} rights: authentication is off`];
  const from = loopback_only ? "programs of this machine" : "anyone";
  return auth.map((word) =>
    word === "anonymous"
      ? `${from} without a key, as ${anonymous_permissions ?? "nobody"}`
      : (ENTRANTS[word] ?? word),
  );
}

/** How near the end of a certificate is. */
export function endOf(daysLeft: number): {
  readonly tone: "good" | "warning" | "bad";
  readonly words: string;
} {
  if (daysLeft < 0) return { tone: "bad", words: "expired" };
  const words = daysLeft === 1 ? "1 day left" : `${daysLeft} days left`;
  if (daysLeft <= URGENT_DAYS) return { tone: "bad", words };
  return { tone: daysLeft <= SOON_DAYS ? "warning" : "good", words };
}
