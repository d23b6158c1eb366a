import { expect, test } from "vitest";
import * as z from "zod";
import { openApiDocument } from "./openapi.ts";
import type { RouteContract } from "./route.ts";
import type { DeclaredRoute } from "./server.ts";

const contract = (path: string, method: RouteContract["method"] = "POST"): RouteContract => ({
  method,
  path,
  action: "keys.manage",
  openWhileLocked: false,
  family: "api",
});
const route = (path: string, schema: NonNullable<DeclaredRoute["schema"]>): DeclaredRoute => ({
  method: "POST",
  path,
  contract: contract(path),
  schema: { summary: "Do it.", ...schema },
});
const documentOf = (...routes: DeclaredRoute[]) => openApiDocument({ version: "1.2.3", routes });
const plain = z.object({ a: z.strictObject({ b: z.string() }).meta({ id: "Same" }) });
const filled = z.object({ a: z.strictObject({ b: z.string().default("x") }).meta({ id: "Filled" }) });

test("[W4] a shape stands once, and once more only where what is sent differs from what is answered", () => {
  const both = (schema: z.ZodType) => ({ body: schema, response: { 200: schema } });
  const document = documentOf(route("/api/v1/same", both(plain)), route("/api/v1/filled", both(filled)));
  const schemas = { schemas: expect.objectContaining({ FilledInput: expect.anything() }) };
  expect(document.components).toMatchObject(schemas);
  const text = JSON.stringify(document);
  expect([...new Set(text.match(/"(Same|Filled)\w*":/g))].toSorted()).toEqual([
    '"Filled":',
    '"FilledInput":',
    '"Same":',
  ]);
  expect(text).not.toContain("SameInput");
  expect(text).toContain('{"$ref":"#/components/schemas/FilledInput"}');
});

test("[W4] a shape that is only sent goes by its own name", () => {
  const text = JSON.stringify(documentOf(route("/api/v1/sent", { body: filled })));
  expect(text).toContain('"$ref":"#/components/schemas/Filled"');
  expect(text).not.toContain("FilledInput");
});

test("[W4] the order of registration changes nothing", () => {
  const routes = [route("/api/v1/b", { body: plain }), route("/api/v1/a", { body: filled })];
  expect(JSON.stringify(documentOf(...routes))).toBe(JSON.stringify(documentOf(...routes.toReversed())));
});

test("[W4] a route without a contract or a sentence is a mistake", () => {
  const bare: DeclaredRoute = { method: "GET", path: "/api/v1/x", contract: undefined, schema: undefined };
  expect(() => documentOf(bare)).toThrow("/api/v1/x declares no contract");
  expect(() => documentOf({ ...bare, contract: contract("/api/v1/x", "GET") })).toThrow("has no summary");
});
