import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyOf, found, recordKeys, scratch, storeOf, tamper, verified } from "./audited-server.ts";

const LAST = 8;
let place: ReturnType<typeof scratch>;
/** Stopped servers: one with 8 records and 5 checkpoints, the same when it had 4, and another one. */
let whole: string;
let older: string;
let stranger: string;
let dir: string;
let copies = 0;
beforeAll(async () => {
  place = scratch();
  whole = path.join(place.root, "whole");
  stranger = path.join(place.root, "stranger");
  await recordKeys(whole, ["a", "b"]);
  older = copyOf(whole, path.join(place.root, "older"));
  await recordKeys(whole, ["c", "d"], 1);
  await recordKeys(stranger, ["s"]);
});
beforeEach(() => {
  copies += 1;
  dir = copyOf(whole, path.join(place.root, `copy-${copies}`));
});
afterAll(() => place[Symbol.dispose]());

const edit = (sql: string) => tamper(dir, (store) => store.exec(sql));
const anchor = (of: string) => path.join(of, "db", "audit.anchor");

test("[W1] what nobody touched is whole, from the first row to the last, with its checkpoints and its anchor", () => {
  const report = verified(dir);
  expect(report).toMatchObject({
    whole: true,
    first: 1,
    last: LAST,
    rows: LAST,
    checkpoints: 5,
    findings: [],
  });
  expect(report.anchored).toBe(LAST);
});

describe("a row that is not as it was written", () => {
  test.each([
    ["time", "time + 1"],
    ["actor", "'someone'"],
    ["action", "'key.update'"],
    ["target", "'another'"],
    ["target", "NULL"],
    ["outcome", "'denied'"],
    ["address", "'192.0.2.1'"],
    ["request_id", "'req_1'"],
    ["request_id", "NULL"],
    ["count", "2"],
    ["count", "'many'"],
    ["hash", "randomblob(32)"],
    ["hash", "NULL"],
  ])("[W1] is named when its %s becomes %s", (column, value) => {
    edit(`UPDATE audit SET ${column} = ${value} WHERE seq = 4`);
    expect(found(dir)).toEqual([["changed", 4, 4]]);
  });

  test("[W1] is named when its number is another, or none", () => {
    edit("UPDATE audit SET seq = 4.5 WHERE seq = 4");
    expect(found(dir)).toContainEqual(["missing", 4, 4]);
    expect(found(dir)).toHaveLength(2);
  });

  test("[W1] is named when it is of another chain", () => {
    edit("UPDATE audit SET chain = 'chain_0000000000000000' WHERE seq = 4");
    expect(found(dir)).toEqual([
      ["missing", 4, 4],
      ["foreign", null, null],
    ]);
  });

  test("[W1] is named where the first or the last is it, and where all are", () => {
    edit("UPDATE audit SET actor = 'someone' WHERE seq IN (1, 8)");
    expect(found(dir)).toEqual([
      ["changed", 1, 1],
      ["changed", LAST, LAST],
    ]);
    edit("UPDATE audit SET actor = 'someone'");
    expect(found(dir)).toEqual([["changed", 1, LAST]]);
  });
});

describe("rows that are not where they were", () => {
  test("[W1] one is missing", () => {
    edit("DELETE FROM audit WHERE seq = 4");
    expect(found(dir)).toEqual([["missing", 4, 4]]);
  });

  test("[W1] the first ones are missing", () => {
    edit("DELETE FROM audit WHERE seq <= 3");
    expect(found(dir)).toEqual([["missing", 1, 3]]);
  });

  test("[W1] all are missing", () => {
    edit("DELETE FROM audit");
    expect(found(dir)).toEqual([["cut", 1, LAST]]);
  });

  test("[W1] one is missing, and those behind it close the gap", () => {
    edit("DELETE FROM audit WHERE seq = 4");
    tamper(dir, (store) => {
      for (let seq = 5; seq <= LAST; seq++)
        store.exec(`UPDATE audit SET seq = ${seq - 1} WHERE seq = ${seq}`);
    });
    expect(found(dir)).toEqual([
      ["changed", 4, LAST - 1],
      ["cut", LAST, LAST],
    ]);
  });

  test.each([
    ["with their hashes", "time, actor, action, target, outcome, address, request_id, count, hash"],
    ["but for their hashes", "time, actor, action, target, outcome, address, request_id, count"],
  ])("[W1] two are swapped, %s", (_how, columns) => {
    tamper(dir, (store) => swap(store, columns));
    expect(found(dir)).toEqual([["swapped", 4, 5]]);
  });

  test("[W1] one is put in, and those behind it make room", () => {
    tamper(dir, (store) => {
      for (let seq = LAST; seq >= 4; seq--)
        store.exec(`UPDATE audit SET seq = ${seq + 1} WHERE seq = ${seq}`);
      copyRow(store, { from: 3, to: 4 });
    });
    expect(found(dir)).toContainEqual(["put_in", 4, LAST + 1]);
  });

  test.each([
    ["before the first", 0, [["put_in", null, null]]],
    [
      "behind the last",
      LAST + 1,
      [
        ["changed", LAST + 1, LAST + 1],
        ["put_in", LAST + 1, LAST + 1],
      ],
    ],
  ])("[W1] one is put in %s", (_where, seq, findings) => {
    tamper(dir, (store) => copyRow(store, { from: 3, to: seq }));
    expect(found(dir)).toEqual(findings);
  });
});

describe("a tail that was cut", () => {
  const CUT = `DELETE FROM audit WHERE seq > 6`;
  const CHECKPOINTS = "DELETE FROM audit_checkpoint WHERE seq > 6";

  test("[W1] is found by the head and the checkpoints", () => {
    edit(CUT);
    expect(found(dir)).toEqual([["cut", 7, LAST]]);
  });

  test("[W1] is found with the checkpoints gone", () => {
    edit(`${CUT}; ${CHECKPOINTS}`);
    expect(found(dir)).toContainEqual(["cut", 7, LAST]);
    expect(found(dir)).toContainEqual(["checkpoint", null, null]);
  });

  test("[W1] is found with the head gone too, or made to fit", () => {
    edit(
      `${CUT}; ${CHECKPOINTS}; UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)`,
    );
    expect(found(dir)).toEqual([
      ["head", null, null],
      ["cut", 7, LAST],
    ]);
    edit("DELETE FROM audit_head");
    expect(found(dir)).toEqual([
      ["head", null, null],
      ["cut", 7, LAST],
    ]);
  });

  test("[W1] is found by the anchor where an old head fits the rows that are left", () => {
    tamper(dir, (store) => {
      store.exec(`ATTACH '${storeOf(older)}' AS older`);
      store.exec(
        "DELETE FROM audit WHERE seq > 4; DELETE FROM audit_checkpoint WHERE seq > 4; DELETE FROM audit_head",
      );
      store.exec("INSERT INTO audit_head SELECT * FROM older.audit_head; DETACH older");
    });
    expect(found(dir)).toEqual([["old_copy", 5, LAST]]);
  });

  test("[W1] an old head before the rows is found", () => {
    tamper(dir, (store) => {
      store.exec(`ATTACH '${storeOf(older)}' AS older; DELETE FROM audit_head`);
      store.exec("INSERT INTO audit_head SELECT * FROM older.audit_head; DETACH older");
    });
    expect(found(dir)).toEqual([
      ["checkpoint", null, null],
      ["put_in", 5, LAST],
    ]);
  });

  test("[W1] is found in a whole older copy of the store, and the anchor's loss is told", () => {
    copyFileSync(storeOf(older), storeOf(dir));
    expect(found(dir)).toEqual([["old_copy", 5, LAST]]);
    rmSync(anchor(dir));
    expect(found(dir)).toEqual([["anchor", null, null]]);
    copyFileSync(anchor(stranger), anchor(dir));
    expect(found(dir)).toEqual([["anchor", null, null]]);
    writeFileSync(anchor(dir), readFileSync(anchor(whole), "utf8").replace(`"seq":${LAST}`, '"seq":4'));
    expect(found(dir)).toEqual([["anchor", null, null]]);
  });

  test("[W1] shows for ever, whatever the server writes afterwards", async () => {
    copyFileSync(storeOf(older), storeOf(dir));
    await recordKeys(dir, ["later"], 2);
    const report = verified(dir);
    const findings = [
      ["missing", 5, LAST],
      ["recorded_break", LAST + 1, LAST + 1],
      ["checkpoint", null, null],
    ];
    expect(found(dir)).toEqual(findings);
    expect(report.findings[1]?.text).toContain("older copy, or was cut: rows 5 to 8 are missing");
    expect(report.last).toBe(LAST + 3);
    await recordKeys(dir, ["later-still"], 3);
    expect(found(dir)).toEqual(findings);
  });
});

describe("checkpoints", () => {
  test.each([
    ["of another row", "UPDATE audit_checkpoint SET seq = 5 WHERE number = 3"],
    ["of another time", "UPDATE audit_checkpoint SET time = time + 1 WHERE number = 3"],
    ["of another hash", "UPDATE audit_checkpoint SET hash = randomblob(32) WHERE number = 3"],
    ["of another kind", "UPDATE audit_checkpoint SET kind = 'start' WHERE number = 3"],
    ["without a signature", "UPDATE audit_checkpoint SET signature = x'' WHERE number = 3"],
    ["that is gone", "DELETE FROM audit_checkpoint WHERE number = 3"],
    [
      "put in behind the last",
      "INSERT INTO audit_checkpoint SELECT chain, 6, kind, seq, time, hash, signature FROM audit_checkpoint WHERE number = 5",
    ],
  ])("[W1] one %s is found", (_what, sql) => {
    edit(sql);
    expect(found(dir)).toEqual([["checkpoint", null, null]]);
  });

  test("[W1] one of another server is found, and so is the loss of the first", () => {
    tamper(dir, (store) => {
      store.exec(`ATTACH '${storeOf(stranger)}' AS stranger; DELETE FROM audit_checkpoint WHERE number = 2`);
      store.exec(
        "INSERT INTO audit_checkpoint SELECT (SELECT chain FROM audit_head), number, kind, seq, time, hash, signature FROM stranger.audit_checkpoint WHERE number = 2",
      );
    });
    expect(found(dir)).toEqual([["checkpoint", null, null]]);
    edit("DELETE FROM audit_checkpoint WHERE number = 1");
    expect(found(dir).length).toBeGreaterThan(1);
  });
});

describe("the chain of another server", () => {
  const COPY = ["audit", "audit_head", "audit_checkpoint"]
    .map((table) => `INSERT INTO ${table} SELECT * FROM stranger.${table}`)
    .join(";");

  test("[W1] copied into the store is found, and no start takes it over", async () => {
    edit(`ATTACH '${storeOf(stranger)}' AS stranger; ${COPY}`);
    expect(found(dir)).toEqual([["foreign", null, null]]);
    await recordKeys(dir, ["later"], 2);
    expect(found(dir)).toEqual([
      ["recorded_break", LAST + 1, LAST + 1],
      ["foreign", null, null],
    ]);
  });

  test("[W1] in the place of the own is found", () => {
    edit(
      `ATTACH '${storeOf(stranger)}' AS stranger; DELETE FROM audit; DELETE FROM audit_head; DELETE FROM audit_checkpoint; ${COPY}`,
    );
    const kinds = found(dir).map(([kind]) => kind);
    expect(kinds).toEqual(["head", "checkpoint", "cut", "foreign"]);
  });
});

function swap(store: DatabaseSync, columns: string): void {
  store.exec(`CREATE TEMP TABLE kept AS SELECT seq, ${columns} FROM audit WHERE seq IN (4, 5)`);
  for (const [seq, other] of [
    [4, 5],
    [5, 4],
  ])
    store.exec(
      `UPDATE audit SET (${columns}) = (SELECT ${columns} FROM kept WHERE seq = ${other}) WHERE seq = ${seq}`,
    );
}

function copyRow(store: DatabaseSync, { from, to }: { from: number; to: number }): void {
  const rest = "time, actor, action, target, outcome, address, request_id, count, hash";
  store.exec(
    `INSERT INTO audit (chain, seq, ${rest}) SELECT chain, ${to}, ${rest} FROM audit WHERE seq = ${from}`,
  );
}
