import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { askNewKey } from "./key-prompts.ts";

const fresh = () => systemRandom.bytes(12).toString("hex");

/** What is asked of a person who types these lines, each once he is asked for it. */
async function typed(...lines: readonly [string, string]) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let drawn = "";
  const answered = askNewKey("Server key", { input, output, isTerminal: true }).then(
    (secret) => secret.expose(),
    (error: unknown) => error,
  );
  output.on("data", (chunk: Buffer) => {
    const before = drawn;
    drawn += chunk.toString();
    // The prompt reads once it has drawn itself.
    if (!before.includes("once more") && drawn.includes("once more"))
      setImmediate(() => input.write(`${lines[1]}\r`));
  });
  input.write(`${lines[0]}\r`);
  const key = await answered;
  return { key, drawn };
}

test("[L2] a new server key is typed twice at a terminal, unseen, and two that differ are refused", async () => {
  const [one, other] = [fresh(), fresh()];
  const same = await typed(one, one);
  expect(same.key).toBe(one);
  expect(same.drawn).not.toContain(one);
  expect((await typed(one, other)).key).toMatchObject({
    exitCode: 65,
    message: "the two are not the same; nothing was changed",
  });
});

test("[L1] where there is no terminal it is one line", async () => {
  const [one, other] = [fresh(), fresh()];
  const input = Readable.from([Buffer.from(`${one}\n${other}\n`)]);
  const from = { input, isTerminal: false };
  expect((await askNewKey("Server key", from)).expose()).toBe(one);
  expect((await askNewKey("Server key", from)).expose()).toBe(other);
});
