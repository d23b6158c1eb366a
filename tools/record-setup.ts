/** Records the first run at a terminal: docs/recordings/setup.cast, and the same as text in docs/first-run.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { recordSetup } from "#test/system/setup-recording.ts";

const DOCS = path.resolve(import.meta.dirname, "../docs");
const PAGE = path.join(DOCS, "first-run.md");

const { cast, text } = await recordSetup();
mkdirSync(path.join(DOCS, "recordings"), { recursive: true });
writeFileSync(path.join(DOCS, "recordings", "setup.cast"), cast);
const page = readFileSync(PAGE, "utf8");
const between = /(<!-- recording -->\n```text\n)[\s\S]*?(^```$)/m;
writeFileSync(
  PAGE,
  page.replace(between, (_all, before: string, after: string) => `${before}${text}\n${after}`),
);
