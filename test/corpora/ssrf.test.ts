import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createEgressClient } from "#platform/egress/egress-client.ts";
import { corporaDirectory } from "./corpus.ts";

interface Row {
  readonly url: string;
  readonly expected: string;
  readonly why: string;
}

/** Tab-separated with a head line; backslash, tab, line ends and other characters (`\u` and four digits) are escaped. */
function readRows(directory: string): Row[] {
  const [head, ...lines] = readFileSync(join(directory, "ssrf/urls.tsv"), "utf8").trimEnd().split("\n");
  if (head?.startsWith("url\texpected\t") !== true) throw new Error("ssrf/urls.tsv has another form.");
  return lines.map((line) => {
    const [url = "", expected = "", , , why = ""] = line.split("\t");
    return { url: unescapeText(url), expected, why };
  });
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\", t: "\t", n: "\n", r: "\r" };

function unescapeText(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|(.))/gi,
    (whole, hex: string | undefined, letter: string | undefined) =>
      hex === undefined ? (ESCAPES[letter ?? ""] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

describe.skipIf(corporaDirectory === undefined)("Published tables of URLs", () => {
  test("[E1] [E2] [E3] every row has the verdict it was published with", async () => {
    const rows = readRows(corporaDirectory ?? "");
    // What names resolve to is judged elsewhere; here each leads to a public address.
    await using client = createEgressClient({ lookup: async () => ["93.184.216.34"] });
    const counts: Record<string, number> = { allow: 0, deny: 0 };
    const wrong: Row[] = [];
    for (const row of rows) {
      const verdict = await client.verdict(row.url);
      const given = verdict.allowed ? "allow" : "deny";
      counts[given] = (counts[given] ?? 0) + 1;
      if (given !== row.expected) wrong.push(row);
    }
    console.log("Tables of URLs:", counts);
    expect(wrong).toEqual([]);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(50);
  });
});
