import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { codeOf, freshPassword, logIn } from "#test/people/person.ts";
import {
  DASHBOARD,
  expectAccessible,
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

const TWO_MINUTES = { timeout: 120_000 };

const rowOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });
const press = (page: Page, name: string) => page.getByRole("dialog").getByRole("button", { name }).click();

async function choose(page: Page, username: string, action: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${username}` }).click();
  await page.getByRole("menuitem", { name: action }).click();
  await page.getByRole("dialog").waitFor();
  await page.getByRole("menu").waitFor({ state: "detached" });
}

async function usersOf(claviger: TestClaviger): Promise<Record<string, { permissions: string[] }>> {
  const { json } = await claviger.control({ path: "/api/v1/users" });
  return Object.fromEntries(Object(json).data.map((user: { username: string }) => [user.username, user]));
}

test(
  "[D2] [U5] users are added, given other rights and passwords, and removed in the dashboard",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/users");
    await signIn(page, admin);
    await rowOf(page, "admin").waitFor();
    await expectAccessible(page);

    // By the keyboard alone, a refusal on the way.
    await page.getByRole("button", { name: "New user" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("input:focus").getAttribute("data-path")).toBe("username");
    await expectAccessible(page);
    await page.keyboard.type("Admin");
    await page.keyboard.press("Tab");
    const [first, second] = [freshPassword(), freshPassword()];
    await page.keyboard.type(first);
    await page.keyboard.press("Enter");
    await page.getByText('There is a user called "admin" already.').waitFor();
    await page.getByLabel(/^User name/).fill("maria");
    await page.keyboard.press("Enter");
    await rowOf(page, "maria").getByText("viewer").waitFor();
    expect((await logIn(claviger, { username: "maria", password: first })).status).toBe(200);

    await choose(page, "maria", "Change permission sets…");
    await page.getByRole("combobox", { name: "Permission sets" }).fill("operator");
    await page.keyboard.press("Enter");
    // Leaves the field, whose list would cover the button.
    await page.keyboard.press("Tab");
    await expectAccessible(page);
    await press(page, "Save");
    await rowOf(page, "maria").getByText("viewer, operator").waitFor();

    await choose(page, "maria", "Give another password…");
    await page.getByLabel(/^Password/).fill("maria-maria-maria");
    await press(page, "Give the password");
    await page.getByRole("dialog").getByText("among those that are tried first").waitFor();
    await page.getByLabel(/^Password/).fill(second);
    await press(page, "Give the password");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect((await logIn(claviger, { username: "maria", password: first })).status).toBe(401);
    expect((await logIn(claviger, { username: "maria", password: second })).status).toBe(200);

    await choose(page, "maria", "Remove…");
    await expectAccessible(page);
    await press(page, "Remove");
    await rowOf(page, "maria").waitFor({ state: "detached" });
    expect(Object.keys(await usersOf(claviger))).toEqual(["admin"]);
  },
);

test(
  "[D2] [U5] of the last superadmin the dashboard says why he stays, and the server's refusal stands at its field",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/users");
    await signIn(page, admin);
    await choose(page, "admin", "Remove…");
    await page.getByText("Give superadmin to somebody else first.").waitFor();
    await expectAccessible(page);
    await press(page, "Close it");
    await choose(page, "admin", "Change permission sets…");
    await page.getByText("keeps superadmin until somebody else has it").waitFor();
    await page.getByRole("combobox", { name: "Permission sets" }).focus();
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Tab");
    await press(page, "Save");
    await page.getByText("The last user with the permission set superadmin must stay.").waitFor();
    expect((await usersOf(claviger)).admin?.permissions).toEqual(["superadmin"]);
  },
);

test(
  "[U6] [D2] after a while the password is asked for again, and the change goes on from there",
  TWO_MINUTES,
  async () => {
    const clock = new FakeClock();
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, clock });
    const admin = await settledAdmin(claviger);
    const body = { username: "maria", password: freshPassword(), permissions: ["viewer"] };
    await claviger.control({ method: "POST", path: "/api/v1/users", body });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/users");
    await signIn(page, admin);
    await rowOf(page, "maria").waitFor();
    clock.advance(16 * 60_000);
    await choose(page, "maria", "Take second factor off…");
    await press(page, "Take it off");
    const again = page.getByRole("dialog", { name: "Give your password again" });
    await again.getByLabel(/^Password/).fill(admin.password);
    await again.getByRole("button", { name: "Go on" }).click();
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    const audit = await claviger.control({ path: "/api/v1/audit?limit=100" });
    expect(audit.text).toContain('"user.second_factor.off"');
  },
);

test(
  "[I15] [D2] the navigation shows the pages that a set of the file gives, and no others",
  TWO_MINUTES,
  async () => {
    const resources = { clerk: { resource_type: "PermissionSet", allow: ["users.manage"] } };
    await using claviger = await startClaviger({
      dashboardDir: DASHBOARD,
      yaml: JSON.stringify({ resources }),
    });
    await settledAdmin(claviger);
    const clerk = { username: "clerk", password: freshPassword() };
    const body = { ...clerk, permissions: ["clerk"], must_change_password: false };
    await claviger.control({ method: "POST", path: "/api/v1/users", body });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/users");
    await signIn(page, clerk);
    await mainHeading(page).waitFor();
    const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
    expect(await links.allTextContents()).toEqual(["Overview", "Users"]);
    await choose(page, "admin", "Give another password…");
    await page.getByLabel(/^Password/).fill(freshPassword());
    await press(page, "Give the password");
    await page.getByRole("alert").filter({ hasText: "exceeds_own_rights" }).waitFor();
  },
);

test(
  "[D2] [U5] [U7] users are shown with their last sign-in and second factor, sorted and searched by the server",
  TWO_MINUTES,
  async () => {
    const clock = new FakeClock();
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, clock });
    const admin = await settledAdmin(claviger);
    const post = async (path: string, body?: object) =>
      Object((await claviger.control({ method: "POST", path, body })).json);
    const add = (username: string) =>
      post("/api/v1/users", { username, password: freshPassword(), permissions: ["viewer"] });
    await add("nora");
    const factor = `/api/v1/users/${(await add("maria")).id}/second-factor`;
    const { secret } = await post(factor);
    await post(`${factor}/confirm`, { code: codeOf(secret, clock.now()) });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/users");
    await signIn(page, admin);
    await rowOf(page, "maria").getByText("on", { exact: true }).waitFor();
    await rowOf(page, "maria").getByText("never").waitFor();
    await rowOf(page, "nora").getByText("off", { exact: true }).waitFor();
    expect(await rowOf(page, "admin").locator("time").count()).toBe(2);
    await expectAccessible(page);
    const names = async () =>
      (await page.getByRole("row").allTextContents()).flatMap((text) => /admin|maria|nora/.exec(text) ?? []);
    expect(await names()).toEqual(["admin", "maria", "nora"]);
    // By the keyboard, and in the address.
    await page.getByRole("button", { name: "User", exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(names).toEqual(["nora", "maria", "admin"]);
    await page.locator('th[aria-sort="descending"]').filter({ hasText: "User" }).waitFor();
    await page.getByLabel("Search").fill("ARIA");
    await expect.poll(names).toEqual(["maria"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?sort=-username&search=ARIA");
    await page.reload();
    await rowOf(page, "maria").waitFor();
    expect(await names()).toEqual(["maria"]);
    await choose(page, "maria", "Take second factor off…");
    await press(page, "Take it off");
    await rowOf(page, "maria").getByText("off", { exact: true }).waitFor();
    await page.getByLabel("Search").fill("nobody");
    await page.getByRole("heading", { level: 2, name: "No user has such a name" }).waitFor();
    await expectAccessible(page);
  },
);
