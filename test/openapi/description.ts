import * as z from "zod";
import type { TestClaviger } from "#test/claviger.ts";

const content = z.record(
  z.string(),
  z.object({ schema: z.record(z.string(), z.unknown()), example: z.unknown().optional() }),
);
const response = z.object({
  content: content.optional(),
  "x-claviger-codes": z.array(z.string()).optional(),
});
const operation = z.object({
  summary: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), response),
  "x-claviger-action": z.string(),
  "x-claviger-open-while-locked": z.union([z.boolean(), z.literal("local")]),
});
const description = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

/** One operation of the description, under the name `GET /path/{name}`. */
export interface Operation extends z.infer<typeof operation> {
  readonly name: string;
  readonly method: string;
  readonly path: string;
}

/** What a server says of itself: its text, its operations, and a check of what it answers. */
export interface Description {
  readonly text: string;
  readonly operations: readonly Operation[];
  /** Why `body` is not what the operation says it answers under that status; undefined when it is. */
  complaint(operation: Operation, status: number, body: unknown): string | undefined;
}

export async function describe(server: TestClaviger): Promise<Description> {
  const { status, text, json } = await server.control({ path: "/api/v1/openapi.json" });
  if (status !== 200) throw new Error(`no description: ${text}`);
  const { paths, components } = description.parse(json);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, said]) => ({
      ...said,
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
    })),
  );
  const $defs = local(components.schemas);
  return {
    text,
    operations,
    complaint: ({ responses }, status, body) => {
      const said = responses[status];
      if (said === undefined) return `status ${status} is not described`;
      const [shape] = Object.values(said.content ?? {});
      if (shape === undefined) return body === undefined ? undefined : "a body is not described";
      const checked = z.fromJSONSchema({ ...local(shape.schema), $defs }).safeParse(body);
      return checked.success ? undefined : z.prettifyError(checked.error);
    },
  };
}

/** With references as they are inside one schema. */
function local(value: Record<string, unknown>): Record<string, never> {
  return JSON.parse(JSON.stringify(value).replaceAll("#/components/schemas/", "#/$defs/"));
}
