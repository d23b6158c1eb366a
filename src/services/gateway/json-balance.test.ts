import { expect, test } from "vitest";
import { JsonBalance } from "./json-balance.ts";

const TEXT = `  ${JSON.stringify({ a: '}\\"{[é', b: [1, { c: "]\\" }], "}": {} })}\n`;

test("[G6] JSON is complete behind its last bracket and at no byte before, however it is cut into chunks", () => {
  const bytes = Buffer.from(TEXT);
  const last = bytes.lastIndexOf("}");
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const balance = new JsonBalance();
    balance.push(bytes.subarray(0, cut));
    expect(balance.complete, `after ${cut} bytes`).toBe(cut > last);
    balance.push(bytes.subarray(cut));
    expect(balance.complete).toBe(true);
  }
});

test("what opens nothing, or closes more than it opened, is not complete", () => {
  for (const text of ["", "  ", "12", '"{}"', "{}}", "[]]"]) {
    const balance = new JsonBalance();
    balance.push(Buffer.from(text));
    expect(balance.complete, text).toBe(false);
  }
});
