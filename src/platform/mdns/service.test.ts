import { expect, test } from "vitest";
import { isAsked, recordsOf } from "./service.ts";

const service = {
  type: "_claviger._tcp",
  instance: "box",
  host: "claviger-01234567",
  port: 8442,
  addresses: ["192.168.1.20", "fd00::20"],
  txt: ["v=1"],
};
const TYPE = "_claviger._tcp.local";
const INSTANCE = `box.${TYPE}`;
const HOST = "claviger-01234567.local";
type Type = "PTR" | "SRV" | "TXT" | "A" | "AAAA" | "MX";
const asks = (name: string, type: Type, answers = recordsOf(service).slice(0, 0)) =>
  isAsked(service, { questions: [{ name, type }], answers });

test("[C7] all records are told: the type's, where it listens, one text, and an address of each kind", () => {
  const told = (ttl: number) => [
    { type: "PTR", name: TYPE, ttl, data: INSTANCE },
    { type: "SRV", name: INSTANCE, ttl, data: { port: 8442, target: HOST } },
    { type: "TXT", name: INSTANCE, ttl, data: ["v=1"] },
    { type: "A", name: HOST, ttl, data: "192.168.1.20" },
    { type: "AAAA", name: HOST, ttl, data: "fd00::20" },
  ];
  expect(recordsOf(service)).toEqual(told(120));
  expect(recordsOf(service, { gone: true })).toEqual(told(0));
});

test("[C7] a question about its type, its instance or its host is one for it, in whatever case; others are not", () => {
  for (const [name, type] of [
    [TYPE, "PTR"],
    [TYPE.toUpperCase(), "PTR"],
    [INSTANCE, "SRV"],
    [INSTANCE, "TXT"],
    [HOST, "A"],
    [HOST, "AAAA"],
  ] as const)
    expect(asks(name, type), `${name} ${type}`).toBe(true);
  for (const [name, type] of [
    [TYPE, "A"],
    [INSTANCE, "PTR"],
    [HOST, "MX"],
    ["_other._tcp.local", "PTR"],
    ["local", "PTR"],
  ] as const)
    expect(asks(name, type), `${name} ${type}`).toBe(false);
  expect(isAsked(service, {})).toBe(false);
});

test("who says that he knows the answer for another minute is not told again", () => {
  const known = (ttl: number) => [{ type: "PTR" as const, name: TYPE, ttl, data: INSTANCE }];
  expect(asks(TYPE, "PTR", known(60))).toBe(false);
  expect(asks(TYPE, "PTR", known(59))).toBe(true);
  expect(asks(INSTANCE, "SRV", known(60))).toBe(true);
});
