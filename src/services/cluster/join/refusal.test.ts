import { expect, test } from "vitest";
import { parseMemberUrl } from "./member-url.ts";
import { refusalOf } from "./refusal.ts";

test.each([
  ["wrong_pin", "wrong_pin", 403],
  ["joining_closed", "joining_closed", 403],
  ["join_busy", "join_busy", 409],
  ["join_version", "join_version", 400],
  ["tls_intercepted", "tls_intercepted", 400],
  ["rate_limited", "rate_limited", 429],
  // Of the member, not of the server that was asked to join.
  ["cluster_closed", "upstream_failed", 502],
  ["server_locked", "upstream_failed", 502],
  ["not_found", "upstream_failed", 502],
  ["toString", "upstream_failed", 502],
])("[C4] a member's %s is told as %s, and none of its own words", (code, told, status) => {
  const error = refusalOf(503, { code, detail: "words of a stranger" });
  expect(error).toMatchObject({ code: told, status });
  expect(error.message).not.toContain("stranger");
});

test("[C4] what is no refusal of a member is told with its status", () => {
  for (const body of [undefined, "<html>", [], { error: "no" }])
    expect(refusalOf(418, body).message).toContain("418");
});

test("[C4] a member's URL is https, a host and a port, and nothing else", () => {
  for (const url of [
    "https://192.168.1.20:8442",
    "https://box.local:8442/",
    "HTTPS://[fe00::1]:8442",
    "https://box",
  ])
    expect(parseMemberUrl(url)?.protocol, url).toBe("https:");
  const others = ["http://box:8442", "https://box/path", "https://u@box", "https://u:p@box", "https://box?q"];
  for (const url of [...others, "https://box#f", "https://b\\ox", "https://b ox", "box:8442", "https://", ""])
    expect(parseMemberUrl(url), url).toBeUndefined();
});
