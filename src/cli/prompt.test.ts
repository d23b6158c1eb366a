import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { toBase62 } from "#platform/lib/base62.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { readSecret } from "./prompt.ts";

const random = seededRandom(7);
const makeSecret = () => toBase62(random.bytes(16), 22);
const fromPipe = (input: Readable) => readSecret({ label: "PIN", input, isTerminal: false });

/** A terminal as far as the prompt can tell: it has raw mode and takes what is drawn. */
function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  return { input, output };
}

test("several secrets in one chunk are one a line, without their line ends", async () => {
  const [first, second, third] = [makeSecret(), ` ${makeSecret()} `, makeSecret()];
  const input = Readable.from([Buffer.from(`${first}\n${second}\r\n${third}`)]);
  expect((await fromPipe(input)).expose()).toBe(first);
  expect((await fromPipe(input)).expose()).toBe(second);
  expect((await fromPipe(input)).expose()).toBe(third);
  await expect(fromPipe(input)).rejects.toMatchObject({ name: "CliError", exitCode: 64 });
});

test("a line that comes byte by byte is put together, multi-byte letters too, before the stream ends", async () => {
  const secret = `ключ-${makeSecret()}`;
  const input = new PassThrough();
  const read = fromPipe(input);
  for (const byte of Buffer.from(`${secret}\n`)) input.write(Buffer.from([byte]));
  expect((await read).expose()).toBe(secret);
  const next = makeSecret();
  input.end(`${next}\n`);
  expect((await fromPipe(input)).expose()).toBe(next);
});

test.each(["", "\n", "\r\n"])("nothing given (%j) is exit status 64", async (text) => {
  await expect(fromPipe(Readable.from([Buffer.from(text)]))).rejects.toMatchObject({ exitCode: 64 });
});

test("8 KiB are taken, one byte more is exit status 65, and an endless line is not read to its end", async () => {
  const longest = "a".repeat(8192);
  expect((await fromPipe(Readable.from([Buffer.from(`${longest}\n`)]))).expose()).toBe(longest);
  const longer = fromPipe(Readable.from([Buffer.from(`${longest}a\n`)]));
  await expect(longer).rejects.toMatchObject({ exitCode: 65 });
  const endless = Readable.from(
    (function* () {
      while (true) yield Buffer.alloc(1024, "a");
    })(),
  );
  await expect(fromPipe(endless)).rejects.toMatchObject({ exitCode: 65 });
  endless.destroy();
});

test("bytes that are not UTF-8 are refused instead of changed", async () => {
  const input = Readable.from([Buffer.from([0x61, 0xff, 0x0a])]);
  await expect(fromPipe(input)).rejects.toMatchObject({ exitCode: 65 });
});

test("what is typed on a terminal is read and never drawn", async () => {
  const secret = makeSecret();
  const { input, output } = terminal();
  const read = readSecret({ label: "Server key", input, output, isTerminal: true });
  input.write(`${secret}\r`);
  expect((await read).expose()).toBe(secret);
  const drawn = String(output.read());
  expect(drawn).toContain("Server key");
  for (const letters of [secret, secret.slice(0, 4)]) expect(drawn).not.toContain(letters);
});

test("an empty answer on a terminal is exit status 64, and Ctrl-C is 1", async () => {
  const empty = terminal();
  const answered = readSecret({ label: "PIN", ...empty, isTerminal: true });
  empty.input.write("\r");
  await expect(answered).rejects.toMatchObject({ exitCode: 64 });
  const left = terminal();
  const cancelled = readSecret({ label: "PIN", ...left, isTerminal: true });
  left.input.write("\u0003");
  await expect(cancelled).rejects.toMatchObject({ exitCode: 1, message: "cancelled; nothing was changed" });
});
