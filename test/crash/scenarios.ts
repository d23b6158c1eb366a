import { systemRandom } from "#platform/lib/random.ts";
import * as z from "zod";
import { addProvider, openSubject, putNamed, readSecrets, type Subject } from "./subject.ts";

/** What a scenario's process is told, as JSON. */
export const inputShape = z.object({
  /** Secrets to store, by the provider's name. */
  added: z.record(z.string(), z.string()).default({}),
});
export type Input = z.infer<typeof inputShape>;

/** What has to hold of a directory after a scenario, however it ended. */
export interface Expected {
  readonly input: Input;
  /** Secrets that are there afterwards in any case. */
  readonly secrets: ReadonlyMap<string, string>;
}

export interface Scenario {
  /** Brings an empty directory to where the scenario begins. */
  readonly prepare: (dataDir: string) => Promise<Expected>;
  /** Whether what a start does before the change is struck, too. */
  readonly fromStart?: boolean;
  /** The change that is struck. */
  readonly act: (subject: Subject, input: Input) => Promise<void>;
}

const HELD = 12;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "first start": {
    fromStart: true,
    prepare: async () => ({ input: { added: {} }, secrets: new Map() }),
    act: async () => {},
  },
  "secrets are added": {
    prepare: async (dataDir) => {
      const secrets = await fill(dataDir);
      return { input: { added: { added: newSecret(), another: newSecret() } }, secrets };
    },
    act: async (subject, { added }) => {
      for (const [name, secret] of Object.entries(added)) await addProvider(subject, name, secret);
    },
  },
};

export function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
}

/** Makes a store with secrets in every sealed column, and gives them by their owner's name. */
async function fill(dataDir: string): Promise<Map<string, string>> {
  await using subject = await openSubject(dataDir, systemRandom);
  for (let count = 0; count < HELD; count++) {
    await addProvider(subject, `provider-${count}`, newSecret());
    await putNamed(subject, `named-${count}`, newSecret());
  }
  return await readSecrets(subject);
}

function newSecret(): string {
  return `sk-test-${systemRandom.bytes(24).toString("base64url")}`;
}
