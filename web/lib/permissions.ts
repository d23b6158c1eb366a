import type { Action, Schemas } from "./api-types.ts";

/** Whether somebody's permission sets, those of the file included, allow `action` on something at least. */
export function mayDo(me: Pick<Schemas["Me"], "actions">, action: Action): boolean {
  return me.actions.includes(action);
}
