import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import {
  DASHBOARD,
  expectAccessible,
  expectNoViolations,
  mainHeading,
  settledAdmin,
  signIn,
  startBrowser,
  type TestBrowser,
} from "./browser.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const LONG = { timeout: 120_000 };

test(
  "[D2] [D4] the settings in force are shown with where each is from; the file is read anew, and what is wrong with it is told",
  LONG,
  async () => {
    const yaml = "settings:\n  allowed_hosts: [box.example]\n";
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, yaml });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/settings");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    const row = (name: string) => page.getByRole("row").filter({ hasText: name });
    await expect.poll(() => row("allowed_hosts").textContent()).toMatch(/box\.example\s*file$/);
    await expect.poll(() => row("mdns").textContent()).toMatch(/joining\s*default$/);
    await expectAccessible(page);
    const write = (text: string) => writeFileSync(path.join(claviger.dataDir, "given.yaml"), text);
    const readAnew = page.getByRole("button", { name: "Read the file anew" });
    write("settings:\n  allowed_hosts: [other.example]\n  drain_timeout_ms: 5\n");
    await readAnew.press("Enter");
    await expect.poll(() => row("allowed_hosts").textContent()).toContain("other.example");
    await expect.poll(() => row("drain_timeout_ms").textContent()).toContain("restart needed");
    write("settings:\n  worker: 2\n");
    await readAnew.press("Enter");
    await page.getByText(/given\.yaml:2:3: .*workers/).waitFor();
  },
);

test(
  "[W4] [D2] the page of the API shows every operation that the description has, and finds one by its words",
  LONG,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const { json } = await claviger.control({ path: "/api/v1/openapi.json" });
    const described = Object.entries(Object(json).paths).flatMap(([at, methods]) =>
      Object.keys(Object(methods)).map((method) => `${method.toUpperCase()} ${at}`),
    );
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/docs/api");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    const operations = page.getByRole("main").getByRole("heading", { level: 3 });
    await expect.poll(() => operations.count()).toBe(described.length);
    const names = (await operations.allTextContents()).join("\n");
    for (const name of described) expect(names).toContain(name);
    await expectNoViolations(page);
    await page.getByLabel("Search").fill("patch keys");
    await expect
      .poll(() => operations.allTextContents())
      .toEqual([expect.stringContaining("PATCH /api/v1/keys/{id}")]);
    await operations.getByRole("button").press("Enter");
    await page.getByText("keys.manage").waitFor();
    await page.getByText(`curl -X PATCH '${claviger.url}/api/v1/keys/{id}'`).waitFor();
    await expectAccessible(page);
    await page.getByLabel("Search").fill("no such words");
    await page.getByText(`0 of ${described.length} operations`).waitFor();
  },
);
