import * as z from "zod";
import { resourceKind } from "#platform/config/resource-kind.ts";
import type { Given } from "#platform/config/resources.ts";
import { ACTIONS } from "./action.ts";
import { type DeclaredPermissionSet, parseRule } from "./permission-set.ts";

const MOST_RULES = 1000;
const LONGEST_RULE = 512;

const rule = z
  .string()
  .max(LONGEST_RULE)
  .superRefine((text, context) => {
    parseRule(text, (message) => context.addIssue({ code: "custom", message }));
  })
  .meta({
    description: "action or action:pattern, where * stands for any run of characters",
    examples: [...ACTIONS, "*.read", "gateway.use:openai/*"],
  });

const shape = z.strictObject({
  permissions: z.literal("full").optional().describe("full: every action, in place of allow and deny"),
  allow: z.array(rule).max(MOST_RULES).optional().describe("What is allowed; nothing is by default."),
  deny: z.array(rule).max(MOST_RULES).optional().describe("What is refused whatever else allows it."),
});

/** `resource_type: PermissionSet` of claviger.yaml. */
export const permissionSetKind = {
  ...resourceKind({
    resourceType: "PermissionSet",
    doc: "What whoever has it may do. One with the name of a built-in set replaces that.",
    shape,
    partial: shape.partial(),
  }),
  toDeclared,
};

type Fields = z.infer<typeof shape>;

/** The set that the fields of a resource declare, or what of them contradicts the rest. */
function toDeclared(fields: Given<Fields>): DeclaredPermissionSet | { readonly problem: string } {
  const { permissions, allow, deny } = fields;
  if (permissions === undefined) {
    if (allow === undefined && deny === undefined)
      return { problem: "a PermissionSet has permissions: full, or a list allow (which may be empty)" };
    return { allow, deny };
  }
  if (allow !== undefined || deny !== undefined)
    return { problem: "permissions: full leaves nothing to allow or deny; write one or the other" };
  return { permissions };
}
