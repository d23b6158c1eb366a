import { isDeepStrictEqual } from "node:util";
import { isMap, isNode, isScalar, type Pair, type ParsedNode, parseDocument, type YAMLMap } from "yaml";

type Mapping = YAMLMap<ParsedNode, ParsedNode | null>;

/**
 * The text with `section.key` set to `value`, which is JSON. All else stays as it is to the byte: comments, order,
 * spelling, line ends. Undefined where that cannot be done, as when another place shares the value through an alias.
 */
export function setInYaml(
  text: string,
  { section, key, value }: { section: string; key: string; value: unknown },
): string | undefined {
  const document = parseDocument(text, { version: "1.2", stringKeys: true });
  if (document.errors.length > 0) return undefined;
  const root = document.contents;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const written = edited({ text, eol, root }, { section, key, written: flow(value) });
  const before: unknown = document.toJS();
  const wanted = { ...entriesOf(before) };
  wanted[section] = { ...entriesOf(wanted[section]), [key]: value };
  // Whatever the layout was: only a text that says what was wanted, and nothing else, is given out.
  const after = parseDocument(written, { version: "1.2", stringKeys: true });
  return after.errors.length === 0 && isDeepStrictEqual(after.toJS(), wanted) ? written : undefined;
}

interface Place {
  readonly text: string;
  readonly eol: string;
  readonly root: unknown;
}

function edited(place: Place, change: { section: string; key: string; written: string }): string {
  const { text, eol, root } = place;
  const { section, key, written } = change;
  if (!isMapping(root) || root.items.length === 0) {
    const whole = `${section}:${eol}  ${key}: ${written}${eol}`;
    return isMapping(root) ? splice(text, rangeOf(root), whole.trimEnd()) : ended(text, eol) + whole;
  }
  const found = pairOf(root, section);
  if (found === undefined)
    return root.flow
      ? append(place, root, `${section}: { ${key}: ${written} }`)
      : `${ended(text, eol)}${section}:${eol}  ${key}: ${written}${eol}`;
  const mapping = found.value;
  if (!isMapping(mapping)) {
    if (root.flow) return replaceValue(text, found, `{ ${key}: ${written} }`);
    const end = lineEnd(text, rangeOf(found.key)[1]);
    return splice(text, [end, end], `${eol}  ${key}: ${written}`);
  }
  const own = pairOf(mapping, key);
  if (own !== undefined) return replaceValue(text, own, written);
  if (mapping.items.length === 0) return splice(text, rangeOf(mapping), `{ ${key}: ${written} }`);
  return append(place, mapping, `${key}: ${written}`);
}

/** Puts a pair behind the last one of a mapping that has some. */
function append({ text, eol }: Place, mapping: Mapping, pair: string): string {
  const last = mapping.items.at(-1);
  const end = Math.max(rangeOf(last?.key)[1], rangeOf(last?.value)[1]);
  if (mapping.flow) return splice(text, [end, end], `, ${pair}`);
  const start = rangeOf(mapping.items[0]?.key)[0];
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  // What a block value ends with may be white space of the lines below it.
  const at = lineEnd(text, text.slice(0, end).trimEnd().length);
  return splice(text, [at, at], `${eol}${indent}${pair}`);
}

function replaceValue(text: string, { key, value }: Pair<ParsedNode, ParsedNode | null>, to: string): string {
  const [start, end] = rangeOf(value);
  if (start !== end) return splice(text, [start, text.slice(0, end).trimEnd().length], to);
  const colon = text.indexOf(":", rangeOf(key)[1]) + 1;
  return splice(text, [colon, colon], ` ${to}`);
}

function isMapping(node: unknown): node is Mapping {
  return isMap(node);
}

function pairOf(mapping: Mapping, name: string): Pair<ParsedNode, ParsedNode | null> | undefined {
  return mapping.items.find(({ key }) => isScalar(key) && key.value === name);
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = isNode(node) ? node.range : undefined;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}

function splice(text: string, [start, end]: readonly [number, number], to: string): string {
  return text.slice(0, start) + to + text.slice(end);
}

/** Where the line ends that holds `offset`, its line break left out. */
function lineEnd(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  if (at === -1) return text.length;
  return text[at - 1] === "\r" ? at - 1 : at;
}

function ended(text: string, eol: string): string {
  return text === "" || text.endsWith("\n") ? text : text + eol;
}

function entriesOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** JSON is YAML; a plain word needs no quotes. */
function flow(value: unknown): string {
  const isWord = typeof value === "string" && /^[a-z]{2,}$/.test(value);
  return isWord && !/^(true|false|null)$/.test(value) ? value : JSON.stringify(value);
}
