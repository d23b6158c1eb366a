import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { removeDrafts } from "./drafts.ts";

test("drafts of a start that was cut off go, and nothing that was finished or put there by others", () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-drafts-"));
  const secrets = path.join(dataDir, "secrets");
  const draft = ".machine.key.00000000-0000-4000-8000-000000000001.tmp";
  const stay = ["machine.key", "jwt_secret", "jwt_secret.new", ".own.tmp", "notes.abc.new"];
  mkdirSync(secrets);
  mkdirSync(path.join(secrets, "a.0123456789ab.new"));
  for (const name of [draft, "jwt_secret.0123456789ab.new", ...stay])
    writeFileSync(path.join(secrets, name), "");
  mkdirSync(path.join(dataDir, "db"));
  writeFileSync(path.join(dataDir, "db", draft), "");
  removeDrafts(dataDir);
  expect(readdirSync(path.join(dataDir, "db"))).toEqual([]);
  expect(readdirSync(secrets).sort()).toEqual([...stay, "a.0123456789ab.new"].sort());
  rmSync(dataDir, { recursive: true });
});
