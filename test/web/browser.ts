import { deepEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
  type Request,
} from "playwright-core";
import type { TestClaviger } from "#test/claviger.ts";
import { firstPerson, freshPassword } from "#test/people/person.ts";
import { requiredTool } from "../system/required-tool.ts";

/** What `npm run build:web` makes, and the system tests make by themselves. */
export const DASHBOARD = path.resolve(import.meta.dirname, "../../web/dist");

/** What the pages of one test do: any fault fails it when the visit ends. */
export interface Visit extends AsyncDisposable {
  readonly context: BrowserContext;
  /** A further tab. */
  openPage(): Promise<Page>;
  /** Errors of scripts and of the console, breaches of the policy, requests that failed or went elsewhere. */
  readonly faults: string[];
}

export interface TestBrowser extends AsyncDisposable {
  readonly version: string;
  /** A browser session of its own, to which nothing but the server at `url` exists. */
  visit(url: string): Promise<Visit>;
}

/** Chromium refuses root its sandbox; every name but those of the tests' servers resolves to nothing. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
/** A page that asks who is there, or whether the server is open, or sends what is refused, is told so by these. */
const EXPECTED = new Set([400, 401, 403, 409, 422, 429, 503]);
const WHOLE_WITHIN_MS = 60_000;
const PLACEHOLDERS = ":is([aria-busy=true], .mantine-Skeleton-root)";
const TWO_FRAMES =
  "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))";
const POLICY_WATCH = `document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
  console.error("policy breached: " + violatedDirective + " by " + blockedURI + " " + sample));`;

/** One for a test file: starting it takes a second. */
export async function startBrowser(): Promise<TestBrowser> {
  if (!existsSync(path.join(DASHBOARD, "index.html")))
    throw new Error("the dashboard is not built: run npm run build:web and try again");
  const browser = await chromium.launch({ executablePath: requiredTool("chromium"), args: FLAGS });
  return {
    version: browser.version(),
    visit: (url) => startVisit(browser, url),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function startVisit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    // What is on its way into view would be judged for its contrast half transparent.
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(20_000);
  const faults: string[] = [];
  await context.addInitScript(POLICY_WATCH);
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && origin !== new URL(url).origin)
      faults.push(`asked elsewhere: ${request.url()}`);
  });
  context.on("page", countRequests);
  context.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // What a page no longer waits for when it is left, the stream of events above all.
    if (why !== "net::ERR_ABORTED") faults.push(`failed: ${request.url()}: ${why}`);
  });
  context.on("response", (response) => {
    const status = response.status();
    if (status >= 400 && !EXPECTED.has(status)) faults.push(`answered ${status}: ${response.url()}`);
  });
  context.on("console", (message) => {
    const text = message.text();
    // The browser's own line about a status, which is judged above.
    if (message.type() === "error" && !text.startsWith("Failed to load resource"))
      faults.push(`console: ${text}`);
  });
  context.on("weberror", (error) => void faults.push(`script: ${error.error().stack}`));
  return {
    context,
    faults,
    openPage: () => context.newPage(),
    [Symbol.asyncDispose]: async () => {
      await context.close();
      deepEqual(faults, []);
    },
  };
}

/** What a tab waits for, but for the stream of events. */
const underWay = new WeakMap<Page, Set<Request>>();

function countRequests(page: Page): void {
  const waiting = new Set<Request>();
  underWay.set(page, waiting);
  page.on("request", (request) => {
    if (new URL(request.url()).pathname !== "/sse") waiting.add(request);
  });
  page.on("requestfinished", (request) => void waiting.delete(request));
  page.on("requestfailed", (request) => void waiting.delete(request));
}

/** Settles once a tab shows all it asked for: nothing is under way, nothing is a placeholder. */
export async function wholePage(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  const deadline = AbortSignal.timeout(WHOLE_WITHIN_MS);
  for (let calm = 0; calm < 2; ) {
    const waiting = [...(underWay.get(page) ?? [])].map((request) => request.url());
    const placeholders = await page.locator(PLACEHOLDERS).count();
    if (deadline.aborted) throw new Error(`${page.url()} waits for ${placeholders} and ${waiting.join(" ")}`);
    calm = waiting.length + placeholders === 0 ? calm + 1 : 0;
    await page.evaluate(TWO_FRAMES);
  }
}

/** The first user of a fresh server, who set a password of his own and is led through no first steps. */
export async function settledAdmin(claviger: TestClaviger): Promise<{ username: string; password: string }> {
  const password = freshPassword();
  await firstPerson(claviger, password);
  const body = { open: false, skipped: [] };
  const ended = await claviger.control({ method: "PUT", path: "/api/v1/first-run", body });
  if (ended.status !== 200) throw new Error(`the first run goes on: ${ended.text}`);
  return { username: "admin", password };
}

/** The heading of whichever page stands in the shell. */
export function mainHeading(page: Page): Locator {
  return page.getByRole("main").getByRole("heading", { level: 1 });
}

/** Fills the page that stands before all others, wherever it was met. */
export async function signIn(
  page: Page,
  { username, password }: { username: string; password: string },
): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel(/^Password( \*)?$/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("User name").waitFor({ state: "detached" });
}

/** Colours on their way from one theme to the other are nobody's. */
const COLOURS_SETTLED = `Promise.all(document.getAnimations().filter((each) => each instanceof CSSTransition)
  .map((each) => each.finished.catch(() => {}))).then(() => {})`;

/** Has the page stand in a theme, as the system wants it. */
export async function inTheme(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
  await page.evaluate(COLOURS_SETTLED);
}

/** The same in both themes, each once its colours have settled. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await inTheme(page, theme);
    await expectNoViolations(page);
  }
}

/** What axe finds against WCAG 2.2 A and AA and its own best practices, on the page as it stands now. */
export async function expectNoViolations(page: Page): Promise<void> {
  // No page of ours has a frame, for which axe would open a tab of its own each time.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  deepEqual(told, [], `axe on ${page.url()}: ${told.join("\n")}`);
}
