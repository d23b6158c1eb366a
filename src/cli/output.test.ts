import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { ConfigProblems } from "#platform/config/problems.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { createOutput } from "./output.ts";

class Sink extends Writable {
  text = "";
  isTTY = false;
  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

function open({ isTTY = false, json = false, noColor = false } = {}) {
  const stdout = new Sink();
  stdout.isTTY = isTTY;
  const stderr = new Sink();
  return { stdout, stderr, output: createOutput({ stdout, stderr, json, noColor }) };
}

const ROWS = [
  { name: "shop", last_used: null, calls: 3 },
  { name: "laboratory", last_used: "today", calls: 12 },
];

test("a list is an aligned table for a person, without colour when it is piped", () => {
  const { stdout, output } = open();
  output.table(["name", "last_used", "calls"], ROWS);
  expect(stdout.text).toBe(
    ["NAME        LAST USED  CALLS", "shop        -          3", "laboratory  today      12", ""].join("\n"),
  );
});

test("the heading is bold on a terminal, and plain there when colour is refused", () => {
  const coloured = open({ isTTY: true });
  coloured.output.table(["name"], ROWS);
  expect(coloured.stdout.text).toContain("\u001b[1mNAME\u001b[22m");
  const plain = open({ isTTY: true, noColor: true });
  plain.output.table(["name"], ROWS);
  expect(plain.stdout.text).not.toContain("\u001b");
});

test("with --json a list and a result are one line of JSON each, and remarks stay off stdout", () => {
  const { stdout, stderr, output } = open({ json: true, isTTY: true });
  output.table(["name", "last_used", "calls"], ROWS);
  output.result({ id: "key_1" }, () => "made key_1");
  output.note("keep it safe");
  const [list, result, rest] = stdout.text.split("\n");
  expect(JSON.parse(list ?? "")).toEqual(ROWS);
  expect(JSON.parse(result ?? "")).toEqual({ id: "key_1" });
  expect(rest).toBe("");
  expect(stderr.text).toBe("keep it safe\n");
});

test("a result is the human text without --json, and a Secret in a JSON result stays masked", () => {
  const human = open();
  human.output.result({ id: "key_1" }, () => "made key_1");
  expect(human.stdout.text).toBe("made key_1\n");
  const json = open({ json: true });
  json.output.result({ key: new Secret("open sesame") }, () => "");
  expect(json.stdout.text).toBe('{"key":"[secret]"}\n');
});

test("a name with terminal commands or reversed writing in it cannot act on the terminal", () => {
  const { stdout, output } = open({ isTTY: true, noColor: true });
  output.table(["name"], [{ name: "a\u001b[2Jb\u009bc\nd\u202ee" }]);
  expect(stdout.text).toBe("NAME\na\ufffd[2Jb\ufffdc\ufffdd\ufffde\n");
});

test("an error goes to stderr as problem and repair, and names its exit status", () => {
  const { stdout, stderr, output } = open();
  const error = new CliError("no such\u0007 file", { exitCode: EXIT.data, repair: "touch it" });
  expect(output.fail(error)).toBe(65);
  expect(stderr.text).toBe("claviger: no such\ufffd file\n  touch it\n");
  expect(stdout.text).toBe("");
});

test("[L2] with --json an error is one line of JSON on stderr, with its code, repair and problems", () => {
  const { stdout, stderr, output } = open({ json: true });
  const problem = { file: "claviger.yaml", line: 2, column: 3, message: "this is not a setting" };
  expect(output.fail(new CliError("gone", { exitCode: EXIT.notRunning, repair: "start it" }))).toBe(69);
  expect(output.fail(new AppError("forbidden"))).toBe(77);
  expect(output.fail(new ConfigProblems([problem]))).toBe(78);
  expect(
    stderr.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).error),
  ).toEqual([
    { message: "gone", exit_code: 69, repair: "start it" },
    { message: "This principal lacks the permission.", exit_code: 77, code: "forbidden" },
    { message: "claviger.yaml:2:3: this is not a setting", exit_code: 78, problems: [problem] },
  ]);
  expect(stdout.text).toBe("");
});

test.each([
  [new StartError("mode is 0644\nchmod 0400 FILE"), 78, "claviger: mode is 0644\nchmod 0400 FILE\n"],
  [new StartError("in use", { exitCode: 75 }), 75, "claviger: in use\n"],
  [new AppError("forbidden"), 77, "claviger: This principal lacks the permission.\n"],
  [new AppError("storage_full", "full", { detail: "/private" }), 75, "claviger: full\n"],
  [new TypeError("x is undefined"), 1, "claviger: x is undefined\n"],
  ["thrown text", 1, "claviger: something went wrong\n"],
])("%s ends with exit status %i", (error, exitCode, text) => {
  const { stderr, output } = open();
  expect(output.fail(error)).toBe(exitCode);
  expect(stderr.text).toBe(text);
});

test("of a failure whose undoing failed too, the first is told", async () => {
  const { stderr, output } = open();
  const start = async () => {
    await using undo = new AsyncDisposableStack();
    for (const part of ["one", "other"])
      undo.defer(() => Promise.reject(new Error(`the ${part} did not close`)));
    throw new StartError("The disk is full.", { exitCode: 75 });
  };
  expect(output.fail(await start().catch((error: unknown) => error))).toBe(75);
  expect(stderr.text).toContain("The disk is full.");
  expect(stderr.text).not.toContain("close");
});
