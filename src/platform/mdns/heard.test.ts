import { expect, test } from "vitest";
import { HeardServices } from "./heard.ts";
import { recordsOf } from "./service.ts";

const TYPE = "_claviger._tcp";
const near = (address: string) => /^(192\.168\.1\.|fd00::)/.test(address);
const said = (
  instance: string,
  own: { port?: number; host?: string; addresses?: readonly string[] } = {},
) => ({
  type: TYPE,
  instance,
  host: "box",
  port: 8442,
  addresses: ["192.168.1.20"],
  txt: ["v=1"],
  ...own,
});
const answersOf = (...services: readonly ReturnType<typeof said>[]) => ({
  answers: services.flatMap((service) => recordsOf(service)),
});

test("[C7] what is said in one packet is found once, with the addresses that are near, until it is taken back by who said it", () => {
  const heard = new HeardServices(TYPE, near);
  const box = said("box", {
    addresses: ["192.168.1.20", "8.8.8.8", "127.0.0.1", "169.254.169.254", "fd00::20"],
  });
  heard.take(answersOf(box), "192.168.1.20");
  heard.take(answersOf(box), "192.168.1.20");
  const found = { instance: "box", host: "box.local", port: 8442, addresses: ["192.168.1.20", "fd00::20"] };
  expect(heard.list()).toEqual([found]);
  const gone = { answers: recordsOf(box, { gone: true }) };
  heard.take(gone, "192.168.1.66");
  expect(heard.list()).toEqual([found]);
  heard.take(gone, "192.168.1.20");
  expect(heard.list()).toEqual([]);
});

test("[C7] two of one name are both listed, and those of another type or at no port or at no host of the link are not", () => {
  const heard = new HeardServices(TYPE, near);
  heard.take(answersOf(said("box", { host: "one" }), said("box", { host: "two" })), "192.168.1.20");
  heard.take(answersOf({ ...said("printer"), type: "_ipp._tcp" }), "192.168.1.20");
  heard.take(answersOf(said("port", { port: 0 }), said("host", { host: "user@evil" })), "192.168.1.20");
  heard.take(answersOf(said("path", { host: "evil/x" }), said("deep", { host: "a.b" })), "192.168.1.20");
  heard.take({}, "192.168.1.20");
  expect(heard.list().map(({ instance, host }) => `${instance} ${host}`)).toEqual([
    "box one.local",
    "box two.local",
  ]);
});

test("[C7] one who says there are many takes 8 places, all together 64, and a name is 63 characters that can be shown", () => {
  const heard = new HeardServices(TYPE, near);
  const many = Array.from({ length: 100 }, (_, index) => said(`m${index}`));
  for (let sender = 0; sender < 5; sender += 1) heard.take(answersOf(...many), `192.168.1.${sender}`);
  expect(heard.list().length).toBe(40);
  for (let sender = 5; sender < 20; sender += 1) heard.take(answersOf(...many), `192.168.1.${sender}`);
  expect(heard.list().length).toBe(64);
  const shown = new HeardServices(TYPE, near);
  shown.take(
    answersOf(said(`\u001b[2J\r\n\u009b\u202e\u200b\u2028${"\u{1f511}".repeat(70)}`)),
    "192.168.1.20",
  );
  expect(shown.list()[0]?.instance).toBe(`\ufffd[2J${"\ufffd".repeat(6)}${"\u{1f511}".repeat(53)}`);
});
