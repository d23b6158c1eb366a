import * as z from "zod";
import type { ResourceKind } from "#platform/config/resources.ts";
import { SETTINGS, type Setting } from "#platform/config/settings.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { RESOURCE_KINDS } from "./declared.ts";
import { FIELD_DOCS } from "./field-docs.ts";

/** The keyword; the objects that bear it are nowhere awaited. */
const THEN = "then";

type Json = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of claviger.yaml, for editors. It knows less than `claviger config check`: whether
 * names are there, hashes are whole and listeners are safe only that tells.
 */
export function configSchema(): Json {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "claviger.yaml",
    description: "The configuration of a Claviger server.",
    type: ["object", "null"],
    properties: {
      settings: {
        description: "Settings of the whole server; flags and environment variables beat them.",
        type: ["object", "null"],
        properties: Object.fromEntries(SETTINGS.map((setting) => [setting.key, settingSchema(setting)])),
        additionalProperties: false,
      },
      resources: {
        description: "Permission sets, identities, listeners and providers, by name.",
        type: ["object", "null"],
        propertyNames: plain(resourceName),
        additionalProperties: resourceSchema(RESOURCE_KINDS),
      },
    },
    additionalProperties: false,
    // What fields refer to stands at the root: a reference is read from there.
    $defs: Object.assign({}, ...RESOURCE_KINDS.map(({ shape }) => plain(shape).$defs)),
  };
}

function settingSchema({ schema, form, doc, fallback }: Setting): Json {
  const { default: _, ...own } = plain(schema);
  const described = { description: doc, default: fallback };
  return form === "list"
    ? { ...described, anyOf: [own, { type: "string", description: "The same with commas between." }] }
    : { ...own, ...described };
}

/** The fields depend on `resource_type`, so that an editor offers and judges those of the one that is written. */
function resourceSchema(kinds: readonly Omit<ResourceKind<never>, "whole" | "partial">[]): Json {
  const types = kinds.map(({ resourceType }) => resourceType);
  return {
    type: "object",
    required: ["resource_type"],
    properties: { resource_type: { description: "What this resource is.", type: "string", enum: types } },
    allOf: kinds.map(({ resourceType, doc, shape }) => {
      const {
        properties,
        $defs: _,
        ...own
      } = z.looseObject({ properties: z.record(z.string(), z.unknown()) }).parse(plain(shape));
      return {
        if: { properties: { resource_type: { const: resourceType } }, required: ["resource_type"] },
        [THEN]: {
          ...own,
          description: doc,
          properties: { resource_type: { description: doc, const: resourceType }, ...properties },
        },
      };
    }),
  };
}

function plain(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema }) => {
      for (const [name, field] of Object.entries(jsonSchema.properties ?? {})) {
        const doc = FIELD_DOCS[name];
        if (typeof field === "object" && doc !== undefined) field.description ??= doc;
      }
    },
  });
  return rest;
}
