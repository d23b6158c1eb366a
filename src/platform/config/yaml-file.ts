import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
} from "yaml";
import type { Problem } from "./problems.ts";

const MAX_ALIASES = 50;

/** The root mapping of a YAML file, and a way to name places in it. */
export interface YamlFile {
  readonly entries: readonly YamlEntry[];
  problem(offset: number, message: string): Problem;
}

/** What a problem points at: the value of a field, or its key. */
export type FieldPart = "key" | "value";

/**
 * One key of a mapping. `offset`s count characters of the file; `offsetOf` finds what a path below the value leads to,
 * as far as it leads.
 */
export interface YamlEntry {
  readonly key: string;
  readonly offset: number;
  readonly valueOffset: number;
  readonly value: unknown;
  /** The keys of the value when it is a mapping; empty for an empty value, undefined for anything else. */
  readonly children: readonly YamlEntry[] | undefined;
  offsetOf(path: readonly PropertyKey[], part?: FieldPart): number;
}

/**
 * Parses YAML 1.2. What is wrong with the text itself goes to `problems`, in words that never quote the file.
 * Undefined when what is left cannot be read as a mapping. An empty file is an empty mapping.
 */
export function parseYamlFile(file: string, text: string, problems: Problem[]): YamlFile | undefined {
  const lines = new LineCounter();
  const problem = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), message };
  };
  let document: ReturnType<typeof parse>;
  try {
    document = parse(text, lines);
  } catch {
    problems.push(problem(0, "the file is nested too deeply"));
    return undefined;
  }
  const all = [...document.errors, ...document.warnings];
  // Past its depth the parser gives up once per open bracket; one of those says it all.
  const exhausted = all.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  const faults = exhausted ? [exhausted] : all;
  for (const fault of faults)
    problems.push(problem(fault.pos[0], FAULTS[fault.code] ?? "this is not valid YAML"));
  if (faults.some(({ code }) => code !== "DUPLICATE_KEY")) return undefined;
  const aliasFault = findAliasFault(document);
  if (aliasFault !== undefined) {
    problems.push(problem(aliasFault.offset, aliasFault.message));
    return undefined;
  }
  const entries = mappingEntries(document.contents, document);
  if (entries === undefined)
    problems.push(problem(offsetOfNode(document.contents, 0), "the file must be a mapping"));
  return entries && { entries, problem };
}

const FAULTS: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: "this key is here for the second time",
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  BAD_INDENT: "the indentation fits nothing above, or a bracket is not closed",
  MULTIPLE_DOCS: "a second document begins; the file must be one document",
  NON_STRING_KEY: "this key is not text",
  TAG_RESOLVE_FAILED: "this tag is not known",
  RESOURCE_EXHAUSTION: "the file is nested too deeply",
  MISSING_CHAR: "a closing quote, bracket or separator is missing",
};

function parse(text: string, lineCounter: LineCounter) {
  return parseDocument(text, {
    version: "1.2",
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    // "silent" would also hide a second document.
    logLevel: "error",
  });
}

function findAliasFault(document: Document.Parsed): { offset: number; message: string } | undefined {
  let count = 0;
  let fault: { offset: number; message: string } | undefined;
  visit(document, {
    Alias(_, alias) {
      count += 1;
      const offset = alias.range?.[0] ?? 0;
      if (alias.resolve(document) === undefined)
        fault = { offset, message: "this alias has no anchor before it" };
      else if (count > MAX_ALIASES) fault = { offset, message: `more than ${MAX_ALIASES} aliases` };
      return fault === undefined ? undefined : visit.BREAK;
    },
  });
  if (fault !== undefined || count === 0) return fault;
  try {
    document.toJS({ maxAliasCount: MAX_ALIASES });
    return undefined;
  } catch {
    return { offset: 0, message: "the aliases unfold to too much" };
  }
}

function mappingEntries(node: unknown, document: Document.Parsed): YamlEntry[] | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (target === null || target === undefined || (isScalar(target) && target.value === null)) return [];
  if (!isMap<ParsedNode, ParsedNode | null>(target)) return undefined;
  return target.items.map(({ key, value }) => ({
    key: isScalar(key) ? String(key.value) : "",
    offset: offsetOfNode(key, 0),
    valueOffset: offsetOfNode(value, offsetOfNode(key, 0)),
    value: isNode(value) ? value.toJS(document, { maxAliasCount: MAX_ALIASES }) : null,
    get children() {
      return mappingEntries(value, document);
    },
    offsetOf: (path, part = "value") => placeOf({ key, value }, path, part, document),
  }));
}

/** Follows a path through aliases to the last pair that is there, and gives the place of its key or value. */
function placeOf(
  start: { key: unknown; value: unknown },
  path: readonly PropertyKey[],
  part: FieldPart,
  document: Document.Parsed,
): number {
  let pair = start;
  let followed = 0;
  for (const step of path) {
    const next = childOf(isAlias(pair.value) ? pair.value.resolve(document) : pair.value, step);
    if (next === undefined) break;
    pair = next;
    followed += 1;
  }
  const ofKey = offsetOfNode(pair.key, 0);
  if (isAlias(pair.key) || (part === "key" && pair.key !== undefined)) return ofKey;
  return followed < path.length && pair.key !== undefined ? ofKey : offsetOfNode(pair.value, ofKey);
}

function childOf(node: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) return node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (!isSeq(node) || typeof step !== "number" || step >= node.items.length) return undefined;
  return { key: undefined, value: node.items[step] };
}

function offsetOfNode(node: unknown, otherwise: number): number {
  return isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise;
}
