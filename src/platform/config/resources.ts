import type * as z from "zod";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { Problem } from "./problems.ts";
import { quoted } from "./quoted.ts";
import { fieldProblems } from "./resource-fields.ts";
import { suggestion } from "./suggestion.ts";
import type { FieldPart, YamlEntry, YamlFile } from "./yaml-file.ts";

/** Words that mean something else wherever a resource is named. */
export const RESERVED_NAMES = ["users", "keys", "cluster", "anonymous", "local", "mitm"] as const;

/** What is known of the fields before all of them are right. */
export type Given<Value> = { readonly [Field in keyof Value]?: Value[Field] | undefined };

/** A kind of resource: made by `resourceKind` in the room that serves it. */
export interface ResourceKind<Value> {
  readonly resourceType: string;
  readonly doc: string;
  /** Every field but `resource_type`, for the published schema. */
  readonly shape: z.ZodObject;
  readonly whole: z.ZodType<Value>;
  readonly partial: z.ZodType<Given<Value>>;
}

/** Reports a problem at a field of a resource; an empty path is the resource itself. Messages are whole sentences. */
export type ReportAt = (path: readonly PropertyKey[], message: string, part?: FieldPart) => void;

/** One resource of the file. */
export interface Resource<Value> {
  readonly name: string;
  /** The fields that are right by themselves. */
  readonly given: Given<Value>;
  /** Undefined when a field is wrong or missing; that is reported. */
  readonly value: Value | undefined;
  /** The fields that are not; that is reported. */
  readonly wrong: ReadonlySet<PropertyKey>;
  readonly report: ReportAt;
}

/** The `resources:` of one file, read kind by kind. */
export interface ResourceSection {
  /** The `resource_type` of each name that has one, as it is written. */
  readonly types: ReadonlyMap<string, string>;
  /** The resources of a kind, in the order of the file. To be called once for each kind. */
  of<Value>(kind: ResourceKind<Value>): Resource<Value>[];
  /** Reports every resource whose type is none of `known`; `refused` holds words for some of them. */
  refuseOthers(known: readonly string[], refused: Readonly<Record<string, string>>): void;
}

/** Makes something of the file's resources; what is wrong it reports by `Resource.report`. */
export type ResourceReader<Resources> = (section: ResourceSection) => Resources;

/** The `resources:` of `yaml`; empty where there is no such file or section. Wrong names are reported at once. */
export function readResourceSection(yaml: YamlFile | undefined, problems: Problem[]): ResourceSection {
  const section = yaml?.entries.find(({ key }) => key === "resources");
  const report = (offset: number, message: string) => {
    if (yaml !== undefined) problems.push(yaml.problem(offset, message));
  };
  if (section !== undefined && section.children === undefined)
    report(section.valueOffset, "resources must be a mapping of name to resource");
  const entries = (section?.children ?? []).filter((entry) => isResource(entry, report));
  const types = new Map<string, string>();
  for (const entry of entries) {
    const type = typeOf(entry);
    if (type !== undefined) types.set(entry.key, type);
  }
  return {
    types,
    of: (kind) =>
      entries
        .filter((entry) => typeOf(entry) === kind.resourceType)
        .map((entry) => readResource(entry, kind, report)),
    refuseOthers: (known, refused) => {
      for (const entry of entries) refuseUnknownType(entry, known, refused, report);
    },
  };
}

type Report = (offset: number, message: string) => void;

function isResource(entry: YamlEntry, report: Report): boolean {
  const checked = resourceName.safeParse(entry.key);
  if (!checked.success) report(entry.offset, checked.error.issues[0]?.message ?? "");
  if (RESERVED_NAMES.some((word) => word === entry.key))
    report(entry.offset, `"${entry.key}" is a word with a meaning of its own; name the resource otherwise`);
  if (entry.children !== undefined && entry.value !== null) return true;
  report(entry.valueOffset, `${quoted(entry.key)} must be a mapping that begins with resource_type`);
  return false;
}

function typeOf(entry: YamlEntry): string | undefined {
  const found = entry.children?.find(({ key }) => key === "resource_type");
  return typeof found?.value === "string" ? found.value : undefined;
}

function readResource<Value>(entry: YamlEntry, kind: ResourceKind<Value>, report: Report): Resource<Value> {
  const reportAt: ReportAt = (path, message, part) =>
    report(path.length === 0 ? entry.offset : entry.offsetOf(path, part), message);
  const { resource_type: _, ...fields } = recordOf(entry.value);
  const whole = kind.whole.safeParse(fields);
  const resource = { name: entry.key, report: reportAt };
  if (whole.success) return { ...resource, given: whole.data, value: whole.data, wrong: new Set() };
  const found = fieldProblems(whole.error, { fields, shape: kind.shape, resourceType: kind.resourceType });
  for (const { path, message, part } of found) reportAt(path, message, part);
  const wrong = new Set(found.flatMap(({ path }) => path.slice(0, 1)));
  const right = Object.entries(fields).filter(([field]) => !wrong.has(field));
  const given = kind.partial.safeParse(Object.fromEntries(right));
  return { ...resource, given: given.data ?? {}, value: undefined, wrong };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function refuseUnknownType(
  entry: YamlEntry,
  known: readonly string[],
  refused: Readonly<Record<string, string>>,
  report: Report,
): void {
  const written = entry.children?.find(({ key }) => key === "resource_type");
  const type = typeOf(entry);
  if (type !== undefined && known.includes(type)) return;
  if (written === undefined)
    return report(entry.offset, `${quoted(entry.key)} lacks resource_type: ${known.join(", ")}`);
  if (type === undefined)
    return report(written.valueOffset, `resource_type must be one of ${known.join(", ")}`);
  const reason = Object.hasOwn(refused, type) ? refused[type] : undefined;
  report(written.valueOffset, reason ?? `${quoted(type)} is no resource_type${suggestion(type, known)}`);
}
