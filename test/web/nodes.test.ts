import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newPin, openToMembers, startMember } from "#test/cluster/member.ts";
import { idOf, nodesOf, startFleet } from "#test/cluster/whole-fleet.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
import {
  DASHBOARD,
  expectAccessible,
  settledAdmin,
  signIn,
  startBrowser,
  type TestBrowser,
  type Visit,
} from "./browser.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const SLOW = { timeout: 240_000 };
const WITH_PAGES = { dashboardDir: DASHBOARD };
const row = (page: Page, name: string | RegExp) => page.getByRole("row", { name });
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** The page of the cluster, as the server's administrator sees it. */
async function openNodes(visit: Visit, claviger: TestClaviger): Promise<Page> {
  const admin = await settledAdmin(claviger);
  const page = await visit.openPage();
  await page.goto("/nodes");
  await signIn(page, admin);
  await page.getByRole("heading", { level: 1, name: "Cluster" }).waitFor();
  return page;
}

/** Empties the boxes from behind, then types as a person does: the boxes follow. */
async function typePin(page: Page, label: string, pin: string): Promise<void> {
  const boxes = page.getByRole("group", { name: label, exact: true }).locator("input");
  await boxes.last().focus();
  for (let at = 0; at < 24; at += 1) await page.keyboard.press("Backspace");
  await page.keyboard.type(pin);
}

test(
  "[C4] [D2] a cluster is begun in the page, by keys alone: the PIN twice, a refused one with its reason",
  SLOW,
  async () => {
    await using claviger = await startClaviger(WITH_PAGES);
    await using visit = await browser.visit(claviger.url);
    const page = await openNodes(visit, claviger);
    await page.getByText("No other machine reaches this server").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "This is the first server" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Begin a cluster" }).waitFor();
    await expectAccessible(page);
    const pin = newPin();
    await page.keyboard.type("1234");
    await page.keyboard.press("Tab");
    await page.keyboard.type("1235");
    await page.keyboard.press("Enter");
    await page.getByText("This is another PIN than the one above.").waitFor();
    await typePin(page, "PIN again", "1234");
    await page.keyboard.press("Enter");
    await page.getByText("This PIN counts up or down; such PINs are guessed first.").waitFor();
    await expectAccessible(page);
    expect((await claviger.control({ path: "/api/v1/cluster" })).json).toMatchObject({ status: "none" });
    await typePin(page, "PIN", pin);
    await typePin(page, "PIN again", pin);
    await page.keyboard.press("Enter");
    await page.getByText(/^Joining is open for 1[45]:\d\d min$/).waitFor();
    await page.getByText("20 tries of the PIN left").waitFor();
    expect((await claviger.control({ path: "/api/v1/cluster" })).json).toMatchObject({ status: "member" });
  },
);

test(
  "[C4] [C5] a server joins another in the page; what is wrong stands where it is, and tries are counted",
  SLOW,
  async () => {
    const pin = newPin();
    const { claviger: member, url } = await startMember(pin);
    await using _member = member;
    await using claviger = await startClaviger(WITH_PAGES);
    await openToMembers(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await openNodes(visit, claviger);
    await press(page, "Join another");
    await page.getByLabel(/^Address of a member/).fill("192.168.1.20");
    await typePin(page, "PIN of the cluster", newPin());
    await press(page, "Join");
    await page.getByText("A member's address begins with https://").waitFor();
    await page.getByLabel(/^Address of a member/).fill(url);
    await press(page, "Join");
    await page.getByRole("alert").filter({ hasText: /PIN/ }).waitFor();
    await expectAccessible(page);
    await typePin(page, "PIN of the cluster", pin);
    await press(page, "Join");
    await expect.poll(() => row(page, /this server.*up/).count(), { timeout: 60_000 }).toBe(1);
    await expect.poll(() => row(page, / up /).count(), { timeout: 60_000 }).toBe(2);
    await page.getByText("19 tries of the PIN left").waitFor();
    await expectAccessible(page);
  },
);

test(
  "[C7] [D2] a node that dies shows in the open page, and is removed there; this one is renamed, and leaves",
  SLOW,
  async () => {
    await using fleet = await startFleet(3, WITH_PAGES);
    await using visit = await browser.visit(fleet.at(0).url);
    const page = await openNodes(visit, fleet.at(0));
    await expect.poll(() => row(page, / up /).count(), { timeout: 60_000 }).toBe(3);
    const deadId = await idOf(fleet.at(2));
    const nodes = await nodesOf(fleet.at(0));
    const [own] = nodes;
    const dead = nodes.find(({ id }) => id === deadId);
    await fleet.at(2).app.close();
    await row(page, new RegExp(`${dead?.name} .*down`)).waitFor({ timeout: 60_000 });
    await expectAccessible(page);
    await press(page, `Actions for ${dead?.name}`);
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByLabel(/^Type .* to go on/).fill(String(dead?.name));
    await expectAccessible(page);
    await press(page, "Remove");
    await expect.poll(() => page.getByRole("row").count(), { timeout: 60_000 }).toBe(3);
    await press(page, `Actions for ${own?.name}`);
    await page.getByRole("menuitem", { name: "Rename…" }).click();
    await page.getByLabel(/^Name/).fill("not a name");
    await press(page, "Rename");
    await page.getByRole("dialog").locator('input[aria-invalid="true"]').waitFor();
    await page.getByLabel(/^Name/).fill("attic");
    await press(page, "Rename");
    await row(page, /^attic this server/).waitFor();
    await press(page, "Actions for attic");
    await page.getByRole("menuitem", { name: "Leave the cluster…" }).click();
    await page.getByLabel("Type attic to go on").fill("attic");
    await press(page, "Leave");
    await page.getByText("This server is in no cluster", { exact: true }).waitFor();
    expect((await fleet.at(0).control({ path: "/api/v1/cluster" })).json).toMatchObject({ status: "none" });
  },
);

test(
  "[C7] [D2] a node that dies and comes back shows both in the open page, without a reload",
  SLOW,
  async () => {
    await using fleet = await startFleet(2, WITH_PAGES);
    await using visit = await browser.visit(fleet.at(0).url);
    const page = await openNodes(visit, fleet.at(0));
    await expect.poll(() => row(page, / up /).count(), { timeout: 60_000 }).toBe(2);
    const loads: string[] = [];
    page.on("load", () => loads.push(page.url()));
    const [, other] = await nodesOf(fleet.at(0));
    await fleet.at(1).app.close();
    await row(page, new RegExp(`${other?.name} .*down`)).waitFor({ timeout: 60_000 });
    await using back = await startClaviger({ ...WITH_PAGES, dataDir: fleet.at(1).dataDir });
    await openToMembers(back);
    await row(page, new RegExp(`${other?.name} .* up `)).waitFor({ timeout: 60_000 });
    expect(loads).toEqual([]);
  },
);

test(
  "[C14] [D3] all nodes are locked from the page, which says of each whether it is, above the unlock screen",
  SLOW,
  async () => {
    await using fleet = await startFleet(2, WITH_PAGES);
    await using visit = await browser.visit(fleet.at(0).url);
    const page = await openNodes(visit, fleet.at(0));
    const api = keyApi(fleet.at(0), await adminOf(fleet.at(0)));
    expect((await api.initialize(freshKey())).status).toBe(200);
    await press(page, "Lock all nodes");
    await expectAccessible(page);
    await press(page, "Lock them all");
    await page.getByRole("heading", { level: 1, name: "The server is locked" }).waitFor();
    await page.getByText("1 of 2 nodes are locked").waitFor();
    await page.getByText(/not locked, no server key is set there/).waitFor();
  },
);
