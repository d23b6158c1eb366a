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

const nightShift = (allow: readonly string[]) => ({
  "night-shift": { resource_type: "PermissionSet", allow, deny: ["gateway.use:openai/o1*"] },
});

test("[D2] [I16] the page of permission sets says in words what each allows, who has it, where it is from, and follows the file", {
  timeout: 120_000,
}, async () => {
  const yaml = (allow: readonly string[]) => JSON.stringify({ resources: nightShift(allow) });
  await using claviger = await startClaviger({
    dashboardDir: DASHBOARD,
    yaml: yaml(["gateway.use:openai/*"]),
  });
  const admin = await settledAdmin(claviger);
  await using visit = await browser.visit(claviger.url);
  const page = await visit.openPage();
  await page.goto("/permission-sets");
  await signIn(page, admin);
  await mainHeading(page).waitFor();
  await expectAccessible(page);
  // By the keyboard.
  await page.getByRole("button", { name: /^night-shift.*file.*1 action/ }).focus();
  await page.keyboard.press("Enter");
  const own = page.getByRole("region", { name: /^night-shift/ });
  await own.getByText("call models and published APIs through the gateway").waitFor();
  await own.getByText("on openai/* alone, but not on openai/o1*").waitFor();
  await own.getByText("To change it, edit night-shift in claviger.yaml.").waitFor();
  expect(await own.getByRole("button").count()).toBe(0);
  await page.getByRole("button", { name: /^superadmin.*built-in/ }).click();
  await page
    .getByRole("region", { name: /^superadmin/ })
    .getByText("Users: admin.")
    .waitFor();
  await expectNoViolations(page);

  await page.getByLabel("Search").fill("NIGHT");
  await page.getByRole("button", { name: /^superadmin/ }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^night-shift/ }).waitFor();
  await page.getByLabel("Search").fill("nobody");
  await page.getByRole("heading", { name: "No permission set has such a name" }).waitFor();
  await expectNoViolations(page);
  await page.getByRole("button", { name: "Show all" }).click();
  const sets = page.getByRole("button", { name: /\d actions?$/ });
  await page.getByRole("button", { name: /^superadmin/ }).waitFor();
  await page.getByLabel("Order").selectOption("By name");
  await expect.poll(() => sets.first().textContent()).not.toContain("superadmin");
  await page.reload();
  await sets.first().waitFor();
  await expect.poll(() => sets.first().textContent()).not.toContain("superadmin");
  await page.getByRole("button", { name: /^night-shift/ }).click();

  writeFileSync(path.join(claviger.dataDir, "given.yaml"), yaml(["gateway.use:openai/*", "usage.read"]));
  const reloaded = await claviger.control({ method: "POST", path: "/api/v1/config/reload" });
  expect(reloaded.status).toBe(200);
  await own.getByText("read what was used and what it cost").waitFor();
});
