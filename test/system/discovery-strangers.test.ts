import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { discover, FOUND, listenAt, MAIN, startServer, wordsToSay, yamlOf } from "./discovery-bench.ts";
import { member, message, nameOf, pointerTo, question, record, SERVICE } from "./dns-packet.ts";
import { openTwoNetworks, type Place } from "./two-networks.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const closing = new AsyncDisposableStack();
let a: Place;
let b: Place;
beforeAll(async () => {
  ({ a, b } = closing.use(await openTwoNetworks()));
});
afterAll(() => closing.disposeAsync());

const say = (...words: Parameters<typeof wordsToSay>) => b.run(wordsToSay(...words));

test("[C7] only who is on the link is answered, from the port of multicast DNS, and once a second however many ask", async () => {
  const { program } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  expect(await discover(b)).toEqual(FOUND);
  const elsewhere = "172.31.9.9";
  await b.command(["ip", "addr", "add", `${elsewhere}/32`, "dev", "link0"]);
  await using ear = await listenAt(b);
  const asked = message({ questions: [question("PTR"), question("ANY")] });
  await say(`${elsewhere}:5353`, 20, [asked]);
  await say(`${b.address}:5454`, 20, [asked]);
  // For longer than an answer may be put off.
  const other = message({ questions: [question("PTR", nameOf(["_other", "_tcp", "local"]))] });
  await say(`${b.address}:5353`, 80, [other]);
  expect(ear.heard(a)).toEqual([]);
  // Two seconds of questions.
  await say(`${b.address}:5353`, 100, [asked]);
  await ear.program.hears(new RegExp(`^${a.address} `, "m"));
  expect(ear.heard(a).length).toBeLessThan(5);
});

const escapes = "\u001b]0;owned\u0007\u001b[2J\r\n\u009b31m\u202egnp";
/** One who fills the list: once eight of his are in it, whatever else he says is left out. */
const many = (): Buffer => {
  const answers = Array.from({ length: 100 }, (_, index) => member(`m${index}`, "m.local", "10.99.7.1"));
  return message({ isAnswer: true, answers: answers.flat() });
};
const hostile = (): Buffer[] => {
  const answer = (answers: readonly Buffer[], counts?: readonly [number, number]) =>
    message({ isAnswer: true, answers, ...(counts && { counts }) });
  const suffix = SERVICE.split(".");
  return [
    answer(member(escapes, "h.local", "10.99.7.1")),
    answer(member("x".repeat(63), "h.local", "8.8.8.8")),
    answer(member("evil", "evil.example", "10.99.7.1")),
    answer(member("port", "h.local", "10.99.7.1", 0)),
    answer(member("user", "a@b.local", "10.99.7.1")),
    answer([record("TXT", nameOf(["t", ...suffix]), Buffer.alloc(8000, 0xff))]),
    // Pointers to themselves, to each other, forwards, and out of the packet.
    answer([record("PTR", pointerTo(12), pointerTo(12))]),
    answer([Buffer.concat([pointerTo(14), pointerTo(12)])], [0, 2]),
    answer([Buffer.concat([Buffer.from([1, 0x41]), pointerTo(12)])], [0, 1]),
    answer([record("SRV", pointerTo(0x3fff), Buffer.alloc(6))]),
    answer([Buffer.alloc(40)], [0, 65535]),
    // Ten thousand records in one.
    answer(Array.from({ length: 10_000 }, () => Buffer.from([0, 0, 16, 0, 1, 0]))),
    message({ questions: [Buffer.alloc(8)], counts: [10_000, 10_000] }),
    Buffer.alloc(3, 0xff),
    Buffer.alloc(9000, 0xff),
  ];
};

test.each([
  ["what can be shown of it is", hostile, /\?\]0;owned\?\?\[2J\?\?\?31m\?gnp/],
  ["of one who fills the list eight are", () => [...hostile(), many()], /https:/],
])("[C7] [C4] whatever strangers answer, the command ends in time, with no control character, a bounded list, and https URLs alone: %s", async (_, packets, shown) => {
  await using _flood = a.start(wordsToSay(`${a.address}:5353`, 100_000, packets()));
  await using ear = await listenAt(b);
  await ear.program.hears(/^10\.99\.7\.1 /m);
  for (const flags of [[], ["--json"]]) {
    const begunMs = performance.now();
    const { status, stdout, stderr } = await b.run([MAIN, "cluster", "discover", ...flags]);
    expect([status, stderr]).toEqual([EXIT.ok, ""]);
    expect(performance.now() - begunMs).toBeLessThan(60_000);
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(stdout.match(/https:/g)?.length).toBeLessThan(9);
    expect(stdout.replaceAll("\ufffd", "?")).toMatch(shown);
    const urls = stdout.match(/[a-z]+:\/\/[^\s"]+/g) ?? [];
    expect(["https://10.99.7.1:8442", "https://h.local:8442"]).toEqual(
      expect.arrayContaining([...new Set(urls)]),
    );
  }
});

test("[C7] a member at whom strangers throw packets goes on, and is found", async () => {
  const { program } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  const questions = [...hostile(), many()].map((packet) => {
    const asked = Buffer.from(packet);
    asked.writeUInt8(0, Math.min(2, asked.length - 1));
    return asked;
  });
  await say(`${b.address}:5353`, 50, [...hostile(), many(), ...questions]);
  expect(await discover(b)).toEqual(FOUND);
  expect(await program.end("SIGTERM")).toBe(0);
  expect(program.said()).not.toContain("multicast DNS");
});
