import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium, type Page } from "playwright-core";
import { requiredTool } from "./required-tool.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Chromium extends AsyncDisposable {
  openPage(): Promise<Page>;
}

/** A headless Chromium with a profile of its own, removed at the end. */
export async function startChromium(extraFlags: readonly string[] = []): Promise<Chromium> {
  const profile = mkdtempSync(path.join(tmpdir(), "chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: requiredTool("chromium"),
    args: [...FLAGS, ...extraFlags],
  });
  return {
    openPage: () => context.newPage(),
    [Symbol.asyncDispose]: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
