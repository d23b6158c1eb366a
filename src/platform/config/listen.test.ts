import { describe, expect, it } from "vitest";
import { formatListen, parseListen } from "./listen.ts";

const parse = (text: string) => parseListen(text, { allowPlainHttp: false });

describe("parseListen", () => {
  it.each([
    "127.0.0.1:8441",
    "127.9.9.9:0",
    "[::1]:65535",
    "[0:0:0:0:0:0:0:1]:1",
    "[::ffff:127.0.0.1]:80",
  ])("[N4] takes %s", (text) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: true });
    if (parsed.ok) expect(parsed.addresses.map(formatListen)).toEqual([text]);
  });

  it("[N4] localhost means both families", () => {
    expect(parse("localhost:9")).toEqual({
      ok: true,
      addresses: [
        { host: "127.0.0.1", port: 9 },
        { host: "::1", port: 9 },
      ],
    });
  });

  it.each([
    "0.0.0.0:1",
    "192.168.1.2:1",
    "[::]:1",
    "[fe80::1%eth0]:1",
    "[::ffff:10.0.0.1]:1",
    "128.0.0.1:1",
  ])("[N4] refuses %s as beyond loopback, and says how to permit it", (text) => {
    expect(parse(text)).toMatchObject({
      ok: false,
      message: expect.stringContaining("allow_plain_http: true"),
    });
    expect(parseListen(text, { allowPlainHttp: true })).toMatchObject({ ok: true });
  });

  it.each([
    "",
    "8441",
    ":8441",
    "127.0.0.1",
    "127.0.0.1:65536",
    "::1:8441",
    "[127.0.0.1]:1",
    "example.com:1",
  ])("[N4] refuses %j, which is no address and port", (text) => {
    for (const allowPlainHttp of [true, false]) {
      expect(parseListen(text, { allowPlainHttp })).toMatchObject({
        ok: false,
        message: expect.stringContaining("ADDRESS:PORT"),
      });
    }
  });
});
