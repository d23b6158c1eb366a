import { EVENT_TYPES, type ServerEvent } from "#platform/events/event.ts";
import type { Authorizer, Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";

const FAMILIES = new Set(EVENT_TYPES.map(familyOf));
const NAMES = new Set<string>([...FAMILIES, ...EVENT_TYPES]);

/** Whether an event is of the types asked for. */
export type TypeFilter = (type: string) => boolean;

/**
 * Reads `key,usage.recorded`: types, or what stands before their dot; everything where it is left out. Throws AppError
 * `bad_request` for a name that no type has.
 */
export function parseTypes(text: string | undefined): TypeFilter {
  if (text === undefined) return () => true;
  const wanted = new Set(text.split(","));
  for (const name of wanted)
    if (!NAMES.has(name))
      throw new AppError("bad_request", `types takes ${[...FAMILIES].join(", ")}, or whole types of events.`);
  return (type) => wanted.has(type) || wanted.has(familyOf(type));
}

/**
 * Whether someone who may read events may see this one: what happens to a key is for those who may manage keys of its
 * name, what was used for those who may read usage, what happens to nodes for those who may list them, the rest for everyone.
 */
export function maySee(authorizer: Authorizer, caller: Caller, { type, data }: ServerEvent): boolean {
  switch (familyOf(type)) {
    case "key":
      return typeof data.name === "string" && authorizer.allows(caller, "keys.manage", data.name);
    case "usage":
      return authorizer.allows(caller, "usage.read");
    case "node":
      return authorizer.allows(caller, "nodes.read");
    default:
      return true;
  }
}

function familyOf(type: string): string {
  return type.slice(0, type.indexOf("."));
}
