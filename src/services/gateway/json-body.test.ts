import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { readJsonBody } from "./json-body.ts";

const LIMITS = { maxDepth: 64 };
const read = (text: string) => readJsonBody(Buffer.from(text), LIMITS);

function refusal(bytes: Buffer): AppError | undefined {
  try {
    readJsonBody(bytes, LIMITS);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
const messageFor = (text: string) => refusal(Buffer.from(text))?.message;

test("[G4] model and stream are found at the top level only, escaped keys included", () => {
  expect(read('{"a":{"model":"x","stream":true},"model":"y"}')).toMatchObject({ model: "y", stream: false });
  expect(read('{"\\u006dodel":"z\\n","str\\u0065am" : true}')).toMatchObject({ model: "z\n", stream: true });
  expect(read('{"messages":["\\"model\\":\\"no\\""],"stream":null}')).toMatchObject({
    model: undefined,
    stream: false,
  });
});

test("[A8] a model or stream given twice, however spelled, is refused", () => {
  expect(messageFor('{"model":"a","model":"a"}')).toContain('"model" twice');
  expect(messageFor('{"stream":true,"\\u0073tream":false}')).toContain('"stream" twice');
  expect(messageFor('{"model":"a","Model":"b"}')).toContain("lower case");
  expect(messageFor('{"MODE\\u004c":"b"}')).toContain("lower case");
  expect(messageFor('{"other":1,"other":2,"model":"a"}')).toBeUndefined();
});

test("[A8] a fault is named by its byte", () => {
  expect(messageFor('{"a":tru}')).toContain("byte 8");
  expect(messageFor('{"ä":}')).toContain("byte 6");
  expect(messageFor('{"a":1')).toContain("byte 6");
  expect(messageFor("")).toContain("byte 0");
  expect(messageFor('{"a":1} x')).toContain("byte 8");
  expect(refusal(Buffer.from([0x7b, 0xff, 0x7d]))?.message).toContain("UTF-8");
});

test("the root must be an object, model a string, stream a boolean", () => {
  expect(messageFor("[]")).toContain("must be a JSON object");
  expect(messageFor('{"model":{"a":1}}')).toContain('"model" must be a string');
  expect(messageFor('{"stream":"true"}')).toContain('"stream" must be');
});

test("[A8] depth 64 passes, 65 does not, and 32 MiB of brackets is refused without a deep stack", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  expect(messageFor(nested(64))).toBeUndefined();
  expect(messageFor(nested(65))).toContain("deeper than 64");
  const flood = Buffer.alloc(32 * 1024 * 1024, "[");
  flood.write('{"a":');
  expect(refusal(flood)?.message).toContain("deeper than 64");
});

test("the scanner accepts exactly what JSON.parse accepts", () => {
  const alphabet = fc.constantFrom(
    ...'{}[],:"\\ue01-+.Et rufalsn\t\u0001ä'.split(""),
    '"model":',
    "null",
    "1e5",
  );
  const accepts = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      const text = `{"k":${parts.join("")}}`;
      const refused = messageFor(text);
      const judgedOnlyHere =
        refused?.includes("twice") || refused?.includes("must be") || refused?.includes("too long");
      return judgedOnlyHere === true || (refused === undefined) === accepts(text);
    }),
    { seed: 7, numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (json) => messageFor(`{"k": ${json} }`) === undefined),
    { seed: 7 },
  );
});

test("[G4] splicing changes the model value and not one other byte", () => {
  const jsonText = fc.json({ maxDepth: 3 });
  fc.assert(
    fc.property(
      jsonText,
      fc.string({ unit: "binary" }),
      fc.string(),
      jsonText,
      (before, model, name, after) => {
        const head = `{"a": ${before} ,\n "model" :\t`;
        const tail = ` , "z":${after} }`;
        const bytes = Buffer.from(head + JSON.stringify(model) + tail);
        const body = readJsonBody(bytes, LIMITS);
        const spliced = body.withModel(name);
        expect(body.model).toBe(model);
        expect(spliced.toString()).toBe(head + JSON.stringify(name) + tail);
        return true;
      },
    ),
    { seed: 11 },
  );
});
