import { isProblem } from "./api-problem.ts";

/**
 * What the server found wrong, for the fields of a form that are called as in the body: of `allowed_ips.0` the field is
 * `allowed_ips`. A taken name stands at `name`. Null where the error is of none of `fields`, and is to be shown whole.
 */
export function fieldErrors(error: unknown, fields: readonly string[]): Record<string, string> | null {
  if (!isProblem(error)) return null;
  if (error.code === "conflict" && fields.includes("name")) return { name: error.message };
  const named = Object.entries(error.fields).map(([at, what]) => [fieldOf(at, fields), what] as const);
  if (named.length === 0 || named.some(([field]) => field === undefined)) return null;
  return Object.fromEntries(named);
}

/** The same, put at the fields of `form`, of which the first gets the focus; false where the error is of none of them. */
export function showAtFields(
  form: {
    readonly setErrors: (errors: Record<string, string>) => void;
    readonly getInputNode: (field: string) => HTMLElement | null;
  },
  error: unknown,
  fields: readonly string[],
): boolean {
  const errors = fieldErrors(error, fields);
  if (errors === null) return false;
  form.setErrors(errors);
  form.getInputNode(Object.keys(errors)[0] ?? "")?.focus();
  return true;
}

function fieldOf(at: string, fields: readonly string[]): string | undefined {
  return fields.find((field) => at === field || at.startsWith(`${field}.`));
}
