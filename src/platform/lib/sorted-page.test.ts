import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { sortedPage, sortWords, toSortCursor } from "./sorted-page.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly cost: number | null;
}
const COLUMNS = {
  id: ({ id }: Row) => id,
  name: ({ name }: Row) => name,
  cost: ({ cost }: Row) => cost,
};
const row = (id: string, name: string, cost: number | null = null): Row => ({ id, name, cost });

test("rows are sorted either way, words whether capital or not, what is not known last, equals by their id", () => {
  const rows = [row("4", "beta", 2), row("1", "Alpha", 10), row("3", "alpha"), row("2", "alpha", 10)];
  const orders = sortWords(["name", "cost"]).map((sort) => [
    sort,
    sortedPage(rows, { sort, limit: 9 }, COLUMNS)
      .data.map(({ id }) => id)
      .join(""),
  ]);
  expect(orders).toEqual([
    ["name", "1234"],
    ["-name", "4231"],
    ["cost", "4123"],
    ["-cost", "1243"],
  ]);
});

test("page by page gives every row once, also where rows come and go between two pages", () => {
  const random = seededRandom(7);
  const [first = 0] = random.bytes(1);
  const rows = Array.from({ length: 200 }, (_, index) =>
    row(`id-${index}`, `name-${(index * 37 + first) % 50}`, index % 3 === 0 ? null : index % 7),
  );
  for (const sort of ["name", "-name", "cost", "-cost"] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let kept = rows; ; kept = kept.filter(({ id }) => id !== seen[0] && id !== seen.at(-1))) {
      const page = sortedPage(kept, { sort, limit: 7, cursor }, COLUMNS);
      seen.push(...page.data.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect([seen.length, new Set(seen).size], sort).toEqual([200, 200]);
  }
});

test.each([
  ["of another order", toSortCursor({ value: "a", id: "1" }, "-name")],
  ["of no list", "eyJhIjoxfQ"],
  ["no base64url of ours", `${toSortCursor({ value: "a", id: "1" }, "name")}=`],
  ["with a value of another kind", Buffer.from('["name",{"a":1},"1"]').toString("base64url")],
  ["cut", toSortCursor({ value: "a", id: "1" }, "name").slice(0, -3)],
  ["empty", ""],
])("a cursor %s is refused", (_what, cursor) => {
  expect(() => sortedPage([], { sort: "name", limit: 5, cursor }, COLUMNS)).toThrow(
    expect.objectContaining({ code: "bad_request" }),
  );
});
