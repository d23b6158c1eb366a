import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { freshPassword } from "#test/people/person.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
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

const MODEL = `basement/${UPSTREAM_MODEL}`;
const PRICES = `settings:
  prices:
    - { model: "${UPSTREAM_MODEL}", provider: basement, input_usd_per_million: 1000, output_usd_per_million: 2000 }
`;
const TWO_MINUTES = { timeout: 120_000 };

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** A server with an upstream, a key, and a tab in which its first user signed in. */
async function startBench() {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const claviger = stack.use(await startClaviger({ dashboardDir: DASHBOARD, yaml: PRICES }));
  await claviger.addProvider("basement", upstream.baseUrl);
  const key = await claviger.issueKey("night-report", ["gateway"]);
  const admin = await settledAdmin(claviger);
  const visit = stack.use(await browser.visit(claviger.url));
  const page = await visit.openPage();
  const owned = stack.move();
  return {
    claviger,
    key,
    page,
    open: async (path: string) => {
      await page.goto(path);
      await signIn(page, admin);
      await mainHeading(page).waitFor();
    },
    ask: (model = MODEL) => ask(claviger, key.key, model),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function ask(claviger: TestClaviger, key: string, model: string): Promise<number> {
  const { status } = await claviger.call({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body: { model, messages: [{ role: "user", content: "Hello" }] },
  });
  return status;
}

test(
  "[D2] [D1] the overview teaches while nothing was asked, and draws requests, tokens, cost and times as they come",
  TWO_MINUTES,
  async () => {
    await using bench = await startBench();
    const { page, claviger } = bench;
    const files: string[] = [];
    page.on("request", (request) => void files.push(new URL(request.url()).pathname));
    const drawing = () => files.filter((file) => file.includes("chart"));
    await bench.open("/?range=1h");
    await page.getByRole("heading", { name: "No request in the last hour" }).waitFor();
    await page.getByText(`curl ${claviger.url}/v1/chat/completions`).waitFor();
    expect(drawing()).toEqual([]);
    await expectAccessible(page);

    expect(await bench.ask()).toBe(200);
    expect(await bench.ask("nowhere")).toBe(404);
    const tile = (name: string) => page.getByRole("group", { name });
    await expect.poll(() => tile("Requests").textContent()).toMatch(/^Requests2/);
    expect(await tile("Answered with an error").textContent()).toMatch(/50 %.*1 by the caller/);
    expect(await tile("Input tokens").textContent()).toMatch(/^Input tokens3/);
    expect(await tile("Cost").textContent()).toMatch(/^Cost\$0.007/);
    for (const chart of ["Requests", "Tokens", "Cost", "Time to the end of the answer"])
      await page.getByRole("img", { name: new RegExp(`^${chart}, each minute: .* in all$`) }).waitFor();
    await page.getByRole("img", { name: /answered 1, 4xx 1, 5xx 0 in all/ }).waitFor();
    expect(drawing()).not.toEqual([]);
    await expectAccessible(page);
    await page.getByRole("link", { name: "night-report" }).click();
    const rows = page.getByRole("table", { name: "Requests" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(1 + 2);
    expect(new URL(page.url()).search).toBe(`?principal=${bench.key.id}&range=1h`);
  },
);

test(
  "[D2] [D1] each chart is a table too, by keyboard, without a step left out; the range stays in the address",
  TWO_MINUTES,
  async () => {
    await using bench = await startBench();
    const { page } = bench;
    await bench.ask();
    await bench.open("/");
    const range = page.getByRole("radiogroup", { name: "How far back" });
    await range.getByRole("radio", { name: "24 h" }).focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => new URL(page.url()).search).toBe("?range=1h");
    await page.reload();
    await range.waitFor();
    expect(await range.getByRole("radio", { name: "1 h" }).isChecked()).toBe(true);
    await page.getByRole("button", { name: /^Requests, each minute: show as a table/ }).focus();
    await page.keyboard.press("Enter");
    const rows = page.getByRole("table", { name: "Requests, each minute" }).getByRole("row");
    await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(1 + 60);
    expect(await rows.nth(50).textContent()).toMatch(/000$/);
    await page.setViewportSize({ width: 390, height: 800 });
    await expectAccessible(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  },
);

test(
  "[D2] requests are listed page by page, narrowed in the address, shown whole, and followed as they come",
  TWO_MINUTES,
  async () => {
    await using bench = await startBench();
    const { page } = bench;
    for (let count = 0; count < 60; count += 1) await bench.ask();
    await bench.ask("nowhere");
    await bench.open("/requests");
    const rows = page.getByRole("table", { name: "Requests" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(1 + 50);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => rows.count()).toBe(1 + 61);

    await page.getByLabel("Status", { exact: true }).selectOption("4xx");
    await expect.poll(() => rows.count()).toBe(1 + 1);
    expect(new URL(page.url()).search).toBe("?status=4xx");
    await page.getByRole("button", { name: /now|ago/ }).focus();
    await page.keyboard.press("Enter");
    const details = page.getByRole("dialog", { name: "One request" });
    await details.getByText("404").waitFor();
    await details.getByText(bench.key.id).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "detached" });

    await page.getByLabel("Live").check();
    await bench.ask("nowhere either");
    await expect.poll(() => rows.count()).toBe(1 + 2);
    await page.getByLabel("Model", { exact: true }).fill("no such model");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No request is like this" }).waitFor();
    await expectAccessible(page);
    await page.goto("/requests?status=900");
    await page
      .getByRole("alert")
      .getByText(/must be a status such as 429/)
      .waitFor();
    await expectAccessible(page);
  },
);

test(
  "[D2] [D4] usage is summed by what one chooses, and exported as the command line does",
  TWO_MINUTES,
  async () => {
    await using bench = await startBench();
    const { page } = bench;
    await bench.ask();
    await bench.ask();
    await bench.open("/usage");
    const cells = (by: string) => page.getByRole("table", { name: `Usage by ${by}` }).getByRole("cell");
    await expect.poll(() => cells("day").nth(1).textContent()).toBe("2");
    await page.getByRole("radio", { name: "Day" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect
      .poll(() => cells("model").allTextContents())
      .toEqual([MODEL, "2", "6", "4", "$0.014", "100 %"]);
    expect(new URL(page.url()).search).toBe("?by=model");
    await expectAccessible(page);

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const csv = readFileSync(await (await downloading).path(), "utf8");
    expect(csv).toBe(
      "model,requests,input_tokens,output_tokens,cost_usd,estimated_requests,unpriced_requests\r\n" +
        `${MODEL},2,6,4,0.014,0,0\r\n`,
    );
    await page.goto("/usage?first=2026-11-21&last=2026-11-01");
    await page
      .getByRole("alert")
      .getByText(/from must lie before to/)
      .first()
      .waitFor();
    await expectAccessible(page);
  },
);

test(
  "[D2] [I15] who may not read usage sees an overview without it, and no way to the pages about it",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await settledAdmin(claviger);
    const person = { username: "kim", password: freshPassword() };
    const body = { ...person, permissions: ["gateway"], must_change_password: false };
    expect((await claviger.control({ method: "POST", path: "/api/v1/users", body })).status).toBe(201);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/");
    await signIn(page, person);
    await page.getByRole("heading", { name: "Point your programs here" }).waitFor();
    expect(await page.getByRole("radiogroup", { name: "How far back" }).count()).toBe(0);
    const pages = page.getByRole("navigation", { name: "Pages" });
    const named = await pages.getByRole("link").allTextContents();
    expect(named).toContain("Overview");
    for (const name of ["Requests", "Usage"]) expect(named).not.toContain(name);
    await page.goto("/requests");
    await page.getByRole("alert").waitFor();
    await expectNoViolations(page);
  },
);
