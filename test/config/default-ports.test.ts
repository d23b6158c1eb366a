import { expect, test } from "vitest";
import { declared, problemsOf } from "./declare.ts";

const listener = (addr: string, rest = "") =>
  `resources:\n  front: {resource_type: HttpServer, listen_addr: ${addr}, auth: [keys]${rest}}\n`;
const places = (addr: string, rest?: string) => declared(listener(addr, rest)).httpServers[0]?.places;

test.each([
  ["localhost", "", ["127.0.0.1", "::1"], 8441],
  ["127.0.0.1", ", tls: off", ["127.0.0.1"], 8441],
  ['"[::1]"', "", ["::1"], 8441],
  ["localhost", ", tls: auto", ["127.0.0.1", "::1"], 8442],
  ["192.0.2.1", ", tls: auto", ["192.0.2.1"], 8442],
  ['"[2001:db8::1]"', ", tls: {cert: /a, key: /b}", ["2001:db8::1"], 8442],
  ["192.0.2.1", ", tls: {pfx: /a, password_file: /b}", ["192.0.2.1"], 8442],
])("[N4] %s%s takes the port of its kind where it names none", (addr, rest, hosts, port) => {
  expect(places(addr, rest)).toEqual(hosts.map((host) => ({ host, port })));
});

test("[N4] a port that is named counts, and of a list each by itself", () => {
  const found = places('[192.0.2.1, "192.0.2.2:9", unix:/run/x.sock]', ", tls: auto");
  expect(found).toEqual([
    { host: "192.0.2.1", port: 8442 },
    { host: "192.0.2.2", port: 9 },
    { socketPath: "/run/x.sock" },
  ]);
});

test("[N4] plain HTTP beyond this machine has no port of its own, permitted or not", () => {
  expect(problemsOf(listener("192.0.2.1", ", allow_plain_http: true"))).toEqual([
    expect.stringMatching(/^2:51: plain HTTP beyond this machine has no port of its own/),
  ]);
  expect(problemsOf(listener("192.0.2.1"))).toEqual([
    expect.stringMatching(/^2:51: this would be plain HTTP/),
  ]);
  expect(problemsOf(listener('""'))).toEqual([expect.stringMatching(/must be an address with its port/)]);
});
