import { expect, test, vi } from "vitest";
import { tryBursts, tryFirstSignIns, tryForwarded } from "./addresses.ts";
import { tryPages, tryRebinding } from "./browser.ts";
import { moveClock } from "./clock.ts";
import { tryOrigins } from "./origins.ts";
import { type Outcome, once } from "./outcome.ts";
import { pageOf } from "./page.ts";
import { tryFixation, tryOtherServers, tryReplays } from "./sessions.ts";
import { tryTokens } from "./tokens.ts";

vi.setConfig({ testTimeout: 300_000 });

const moved = once(moveClock);
const TRIED = {
  tokens: once(tryTokens),
  fixation: once(tryFixation),
  replays: once(tryReplays),
  otherServers: once(tryOtherServers),
  origins: once(tryOrigins),
  pages: once(tryPages),
  rebinding: once(tryRebinding),
  forwarded: once(tryForwarded),
  bursts: once(tryBursts),
  firstSignIns: once(tryFirstSignIns),
  clock: once(async () => (await moved()).outcomes),
};

function expectNobodyIn(outcomes: readonly Outcome[]): void {
  expect(outcomes.filter(({ gotIn, tried }) => gotIn > 0 || tried === 0)).toEqual([]);
}

test("[U3] no forged token, and no cookie written otherwise, is let in", async () => {
  const outcomes = await TRIED.tokens();
  expectNobodyIn(outcomes);
  expect(outcomes.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThan(1_000);
});

test("[U3] no cookie that was planted becomes anybody's session", async () => {
  expectNobodyIn(await TRIED.fixation());
});

test("[U3] [S14] no cookie that was kept is worth anything once its session ended, however it ended", async () => {
  expectNobodyIn(await TRIED.replays());
});

test("[U3] no cookie is worth anything to another server on the host, nor ends a session there", async () => {
  expectNobodyIn(await TRIED.otherServers());
});

test("[A9] [A10] no request of another origin does anything by the cookie, whatever it is called", async () => {
  expectNobodyIn(await TRIED.origins());
});

test("[A9] [A10] [W1] no hostile page does anything in Chromium where its visitor is signed in; refusals are recorded", async () => {
  expectNobodyIn(await TRIED.pages());
});

test("[A7] [A10] no page whose name is rebound reads or does anything", async () => {
  expectNobodyIn(await TRIED.rebinding());
});

test("[U4] [A7] no header gives an address more than ten passwords in an hour", async () => {
  expectNobodyIn(await TRIED.forwarded());
});

test("[U4] bursts get ten passwords judged, of several threads and over a restart, and lock nobody out elsewhere", async () => {
  expectNobodyIn(await TRIED.bursts());
});

test("[U2] of fifty who sign in first at once one does", async () => {
  expectNobodyIn(await TRIED.firstSignIns());
});

test("[U3] [U7] a clock that is moved by years opens nothing that had ended", async () => {
  expectNobodyIn(await TRIED.clock());
});

test("[U4] [U7] [N13] a clock that is moved by years, and back, keeps nobody out for longer than an hour", async () => {
  const { honest, certificate } = await moved();
  expect(Object.fromEntries(honest)).toEqual({
    "signs in, years ahead": 200,
    "is signed in, years ahead": 200,
    "signs in, years back": 200,
    "is signed in, years back": 200,
    "is locked out still, years back": 429,
    "has to wait for so many seconds at most": 3600,
    "is judged an hour later": 401,
    "signs in, right again": 200,
    "is signed in, right again": 200,
  });
  expect(certificate.since).toBeGreaterThan(0);
  expect(certificate.left).toBeGreaterThan(0);
});

test("docs/attacks.md says what was tried and what came of it", async () => {
  const outcomes = [];
  for (const tried of Object.values(TRIED)) outcomes.push(...(await tried()));
  await expect(pageOf(outcomes)).toMatchFileSnapshot("../../docs/attacks.md");
});
