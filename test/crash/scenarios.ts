import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { BY } from "#test/test-seal.ts";
import {
  backedUp,
  type Expected,
  fill,
  type Input,
  initialized,
  inputOf,
  newKey,
  newSecret,
  oldStore,
} from "./beginnings.ts";
import { putValuesBack, restore, writeBackup } from "./offline.ts";
import { addProvider, openSubject, type Subject } from "./subject.ts";

/** What a process left that ran another scenario and was killed behind so many commits, or behind a rename. */
export type Cut = { readonly scenario: string } & (
  | { readonly commits: number }
  | { readonly renamed: string }
);

interface Scenario {
  /** Brings an empty directory to where the scenario begins. */
  readonly prepare: ((dataDir: string) => Promise<Expected>) | Cut;
  /** Whether what a start does before the change is struck, too. */
  readonly fromStart?: boolean;
  /** What comes before the change, and is not struck. */
  readonly begin?: Work;
  /** The change that is struck; what goes on behind it is struck as well. */
  readonly act?: Work;
  /** What is done, and struck, without a server, before one starts. */
  readonly offline?: (dataDir: string, input: Input) => Promise<unknown>;
}

type Work = (subject: Subject, input: Input) => Promise<unknown>;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "first start": {
    prepare: async () => ({ input: inputOf({}), secrets: new Map() }),
    fromStart: true,
  },
  "an upgrade": { prepare: oldStore, fromStart: true },
  "secrets are added": {
    prepare: async (dataDir) => {
      const { input, secrets } = await initialized(dataDir);
      return { input: { ...input, added: { added: newSecret(), another: newSecret() } }, secrets };
    },
    begin: unlock,
    act: async (subject, { added }) => {
      for (const [name, secret] of Object.entries(added)) await addProvider(subject, name, secret);
    },
  },
  initialize: {
    prepare: async (dataDir) => ({ secrets: await fill(dataDir), input: inputOf({ next: newKey() }) }),
    act: ({ seal }, { next }) => seal.initialize(secret(next), { recovery: true, by: BY }),
  },
  "a start after a cut initialize": {
    prepare: { scenario: "initialize", commits: 1 },
    fromStart: true,
    act: unlock,
  },
  rotate: {
    prepare: async (dataDir) => {
      const { input, secrets } = await initialized(dataDir);
      return { input: { ...input, next: newKey() }, secrets };
    },
    begin: unlock,
    act: rotate,
  },
  "a start after a cut rotate": {
    prepare: { scenario: "rotate", commits: 2 },
    fromStart: true,
    act: unlock,
  },
  "a repair after a cut rotate": { prepare: { scenario: "rotate", commits: 1 }, begin: unlock, act: rotate },
  "a repair": { prepare: initialized, begin: unlock, act: rotate },
  "a lock": { prepare: initialized, begin: unlock, act: ({ seal }) => seal.lock(BY) },
  "an unlock after a lock by hand": {
    prepare: async (dataDir) => {
      const expected = await initialized(dataDir);
      await using subject = await openSubject(dataDir, systemRandom);
      await unlock(subject, expected.input);
      await subject.seal.lock(BY);
      return expected;
    },
    act: unlock,
  },
  "the recovery key is revoked": {
    prepare: initialized,
    begin: unlock,
    act: ({ seal }) => seal.revokeRecovery(BY),
  },
  "a restore": {
    prepare: async (dataDir) => {
      const there = await backedUp(dataDir);
      const { input, secrets } = await initialized(dataDir);
      return { input: { ...there.input, current: input.current }, secrets, restored: there.secrets };
    },
    offline: restore,
  },
  "a restore where nothing is": {
    prepare: async (dataDir) => {
      const { input, secrets } = await backedUp(dataDir);
      return { input, secrets: new Map(), restored: secrets };
    },
    offline: restore,
  },
  "a value is put back": {
    prepare: async (dataDir) => {
      const { input, secrets } = await initialized(dataDir);
      const backup = `${dataDir}.backup`;
      await writeBackup(dataDir, backup);
      return { input: { ...input, backup }, secrets };
    },
    offline: putValuesBack,
  },
  "a start after a cut restore": {
    prepare: { scenario: "a restore", renamed: "restore/staged" },
    fromStart: true,
    act: unlock,
  },
};

export function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
}

/** Where a scenario begins that goes on from a cut one: the key that was to be is the key that is. */
export function afterCut({ input, secrets, restored, refused = [] }: Expected): Expected {
  const { current, next } = input;
  return {
    input: { ...input, current: next },
    secrets: restored ?? secrets,
    refused: current === null ? refused : [...refused, current],
  };
}

function unlock({ seal }: Subject, { current }: Input): Promise<void> {
  return seal.unlock(secret(current), BY);
}

/** With equal keys the repair. */
function rotate({ seal }: Subject, { current, next }: Input): Promise<unknown> {
  return seal.rotate({ current: secret(current), next: secret(next) }, BY);
}

function secret(key: string | null): Secret {
  return new Secret(key ?? "");
}
