import { MEMBER_ID } from "#platform/http/ports.ts";
import type { Cluster, MemberDigest } from "#services/cluster/index.ts";

/**
 * Lets those in who have the members' token of the cluster, as its files are now, in every thread. Where another takes
 * its place, or none, what runs for whoever had the one before is ended.
 */
export function followMembers({
  cluster,
  members,
  endOf,
}: {
  readonly cluster: Pick<Cluster, "state" | "onChange">;
  readonly members: MemberDigest;
  readonly endOf: (principal: string) => void;
}): void {
  const follow = (state: ReturnType<Cluster["state"]>) => {
    const token = state.status === "member" ? state.credentials.memberToken : undefined;
    if (members.replace(token)) endOf(MEMBER_ID);
  };
  cluster.onChange(follow);
  follow(cluster.state());
}
