import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { readJsonBody } from "#services/gateway/json-body.ts";

/** Where the published test data lies; without it there is nothing to run here. */
const corpora = process.env.CLAVIGER_CORPORA;
const folder = join(corpora ?? ".", "json", "test_parsing");
const files = corpora === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".json"));

function refusalOf(name: string): string | undefined {
  try {
    readJsonBody(readFileSync(join(folder, name)), { maxDepth: 64 });
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "bad_request") return error.message;
    throw error;
  }
}

describe.skipIf(corpora === undefined)("[A8] JSONTestSuite", () => {
  test("the data is there", () => {
    expect(files.length).toBeGreaterThan(300);
  });

  test.each(files.filter((name) => name.startsWith("y_")))("accepts %s", (name) => {
    expect([undefined, "The body must be a JSON object."]).toContain(refusalOf(name));
    const isObject = readFileSync(join(folder, name), "utf8").trimStart().startsWith("{");
    expect(refusalOf(name) === undefined).toBe(isObject);
  });

  test.each(files.filter((name) => name.startsWith("n_")))("refuses %s", (name) => {
    expect(refusalOf(name)).toBeDefined();
  });

  test.each(files.filter((name) => name.startsWith("n_")))("refuses %s as a member", (name) => {
    const member = Buffer.concat([Buffer.from('{"a":'), readFileSync(join(folder, name)), Buffer.from("}")]);
    expect(() => readJsonBody(member, { maxDepth: 64 })).toThrow(AppError);
  });

  test.each(files.filter((name) => name.startsWith("y_")))("accepts %s as a member", (name) => {
    const member = Buffer.concat([Buffer.from('{"a":'), readFileSync(join(folder, name)), Buffer.from("}")]);
    expect(readJsonBody(member, { maxDepth: 64 }).model).toBeUndefined();
  });
});
