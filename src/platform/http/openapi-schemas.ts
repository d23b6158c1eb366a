import * as z from "zod";

/** JSON as OpenAPI 3.1 takes it: a schema, an operation, a whole document. */
export type JsonObject = Readonly<Record<string, unknown>>;

type Direction = "input" | "output";

const DEFINITIONS = "#/$defs/";
const COMPONENTS = "#/components/schemas/";
/** What a shape is called where its input differs from what is answered. */
const INPUT = "Input";

/**
 * The JSON Schemas (2020-12, https://json-schema.org/draft/2020-12) of zod schemas. A schema with an id in its
 * `meta` stands once in `components`, whatever mentions it; two different ones by one id are an Error.
 */
export class OpenApiSchemas {
  readonly #components = new Map<string, JsonObject>();

  /** `input` is what a client may send, `output` what it is answered. */
  of(schema: unknown, direction: Direction): JsonObject {
    if (!(schema instanceof z.ZodType)) throw new Error("a route declares a schema that is not one of zod");
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io: direction });
    for (const [id, definition] of Object.entries($defs ?? {}))
      this.#keep(nameOf(id, direction), renamed(definition, direction));
    return renamed(json, direction);
  }

  /** By name; an input that differs from its output in nothing has none of its own. */
  components(): { readonly schemas: JsonObject; readonly same: ReadonlyMap<string, string> } {
    const same = new Map<string, string>();
    for (const [name, schema] of this.#components) {
      const output = name.endsWith(INPUT) ? name.slice(0, -INPUT.length) : undefined;
      const twin = output === undefined ? undefined : this.#components.get(output);
      if (output !== undefined && (twin === undefined || textOf(twin) === textOf(schema)))
        same.set(name, output);
    }
    const kept = [...this.#components].map(([name, schema]) => [same.get(name) ?? name, schema] as const);
    return { schemas: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))), same };
  }

  #keep(name: string, schema: JsonObject): void {
    const before = this.#components.get(name);
    if (before !== undefined && textOf(before) !== textOf(schema))
      throw new Error(`two schemas are called ${name}`);
    this.#components.set(name, schema);
  }
}

/** `value` with every reference to a component of `same` led to its other name. */
export function withNames(value: JsonObject, same: ReadonlyMap<string, string>): JsonObject {
  return mapReferences(value, (name) => same.get(name) ?? name, COMPONENTS);
}

function renamed(value: object, direction: Direction): JsonObject {
  return mapReferences({ ...value }, (id) => nameOf(id, direction), DEFINITIONS);
}

function mapReferences(value: JsonObject, name: (before: string) => string, from: string): JsonObject {
  const mapped: JsonObject = JSON.parse(
    JSON.stringify(value, (key, member: unknown) =>
      key === "$ref" && typeof member === "string" && member.startsWith(from)
        ? COMPONENTS + name(member.slice(from.length))
        : member,
    ),
  );
  return mapped;
}

function nameOf(id: string, direction: Direction): string {
  return direction === "input" ? id + INPUT : id;
}

/** Inputs are compared with outputs by what they say, not by how what they mention is called. */
function textOf(schema: JsonObject): string {
  return JSON.stringify(schema).replaceAll(/("#\/components\/schemas\/[^"]*?)Input"/g, '$1"');
}
