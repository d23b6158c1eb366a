import * as z from "zod";
import { nearestName } from "#platform/lib/nearest-name.ts";
import { quoted } from "./quoted.ts";
import { suggestion } from "./suggestion.ts";
import type { FieldPart } from "./yaml-file.ts";

/** What is wrong with a field; the empty path is the resource itself. */
export interface FieldProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly part: FieldPart;
}

type Issue = z.core.$ZodIssue;

/**
 * What a schema found, in words of ours: of the file they repeat names at most. `fields` are what was checked against
 * `shape`, the strict object of a resource.
 */
export function fieldProblems(
  error: z.ZodError,
  checked: { fields: unknown; shape: z.ZodType; resourceType: string },
): FieldProblem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, [], checked));
}

type Checked = Parameters<typeof fieldProblems>[1];

function problemsOf(issue: Issue, above: readonly PropertyKey[], checked: Checked): FieldProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownField(key, path, checked));
  if (issue.code === "invalid_union") {
    const meant = branchMeant(issue.errors);
    // Words of its own say more than the name of a field that only one of the forms lacks.
    const hasWords = !UNWORDED.test(issue.message) && meant?.some(({ code }) => code === "unrecognized_keys");
    if (meant !== undefined && hasWords !== true)
      return meant.flatMap((inner) => problemsOf(inner, path, checked));
  }
  const value = valueAt(checked.fields, path);
  if (value === undefined) return [missingField(path, checked.resourceType)];
  return [{ path, message: `${fieldText(path)}: ${complaint(issue, value)}`, part: "value" }];
}

/** Of the forms a value may have the one it comes nearest to: where more than the type of the whole is at fault. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const entered = branches.filter((issues) => !issues.every(isOfOtherForm));
  return entered.toSorted((a, b) => a.length - b.length)[0];
}

function isOfOtherForm({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function unknownField(key: string, path: readonly PropertyKey[], checked: Checked): FieldProblem {
  const known = [...new Set(fieldsAt(checked.shape, path))];
  const owner = path.length === 0 ? checked.resourceType : fieldText(path);
  const message = `${quoted(key)} is not a field of ${owner}${suggestion(key, known)}`;
  return { path: [...path, key], message, part: "key" };
}

function missingField(path: readonly PropertyKey[], resourceType: string): FieldProblem {
  const owner = path.length === 1 ? `this ${resourceType}` : fieldText(path.slice(0, -1));
  const message = `${owner} lacks the field ${String(path.at(-1))}`;
  return { path: path.slice(0, -1), message, part: "key" };
}

/** What zod says when it was given no words. */
const UNWORDED = /^(Invalid |Unrecognized |Too )/;

function complaint(issue: Issue, value: unknown): string {
  if (!UNWORDED.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}${nearest(value, issue.values.map(String))}`;
    case "too_small":
      return `must ${boundVerb(issue.origin)} at least ${unitOf(issue.origin, issue.minimum)}`;
    case "too_big":
      return `must ${boundVerb(issue.origin)} at most ${unitOf(issue.origin, issue.maximum)}`;
    case "invalid_union":
      return unionComplaint(issue.errors.flat(), value);
    default:
      return "is not as it must be";
  }
}

function unionComplaint(issues: readonly Issue[], value: unknown): string {
  const words = issues.flatMap((issue) => (issue.code === "invalid_value" ? issue.values.map(String) : []));
  const types = issues.flatMap((issue) => (issue.code === "invalid_type" ? [issue.expected] : []));
  const forms = [...words, ...new Set(types.map((type) => TYPES[type] ?? type))];
  return `must be ${forms.join(" or ")}${nearest(value, words)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "null",
};

function boundVerb(origin: string): string {
  return origin === "string" || origin === "array" ? "have" : "be";
}

function unitOf(origin: string, count: number | bigint): string {
  if (origin === "string") return `${count} characters`;
  if (origin !== "array") return `${count}`;
  return Number(count) === 1 ? "1 entry" : `${count} entries`;
}

function nearest(value: unknown, words: readonly string[]): string {
  const near = typeof value === "string" ? nearestName(value, words) : undefined;
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

function fieldText(path: readonly PropertyKey[]): string {
  const names = path.filter((step) => typeof step === "string");
  return names.map((name) => (quoted(name) === "this" ? "…" : name)).join(".");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const found = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return valueAt(found.find(([key]) => key === String(step))?.[1], rest);
}

/** The names of the fields that a schema knows at a path. */
function fieldsAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return fieldsAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => fieldsAt(option, path));
  const [step, ...rest] = path;
  if (schema instanceof z.ZodArray) return fieldsAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  return step === undefined ? Object.keys(schema.shape) : fieldsAt(schema.shape[String(step)], rest);
}
