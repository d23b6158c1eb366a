import type * as z from "zod";
import type { Given, ResourceKind } from "./resources.ts";

/**
 * A kind of resource from the strict object of its fields (`resource_type` left out). Every field bears a description
 * for the published schema.
 */
export function resourceKind<Value>(kind: {
  readonly resourceType: string;
  readonly doc: string;
  readonly shape: z.ZodObject & z.ZodType<Value>;
  /** `shape.partial()`. */
  readonly partial: z.ZodType<Given<Value>>;
}): ResourceKind<Value> {
  return { ...kind, whole: kind.shape };
}
