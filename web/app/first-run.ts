import { useQuery } from "@tanstack/react-query";
import { firstRun } from "#features/first-run/api/first-run.ts";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";

/** Whether the server is new, and this person sets it up. */
export function useFirstRun(): boolean {
  const me = useMe();
  const { data } = useQuery({ ...firstRun(), enabled: mayDo(me, "settings.manage") });
  return data?.open === true;
}
