import fc from "fast-check";
import { expect, test } from "vitest";
import { spendAll } from "#test/cluster/simulated-member.ts";
import { SimulatedMembers } from "#test/cluster/simulated-members.ts";

const MOST_MEMBERS = 6;
const KINDS = [
  ...["burst", "burst", "burst", "spend", "spend", "spend", "refund", "greet", "greet", "open", "restart"],
  ...["cut", "cut", "mend", "lose", "full", "before", "after", "tick", "add"],
] as const;
const who = fc.nat({ max: MOST_MEMBERS - 1 });
const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  who,
  other: who,
  times: fc.integer({ min: 1, max: 25 }),
  ms: fc.integer({ min: -2000, max: 90_000 }),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

test("[C5] whatever happens to members, of a term no more than 20 runs are answered, and alone no more than a share", async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: MOST_MEMBERS }),
    fc.array(step, { maxLength: 100, size: "max" }),
    async (count, steps) => {
      const cluster = await SimulatedMembers.of(count);
      await cluster.first.open();
      for (const one of steps) {
        await take(cluster, one);
        expect(cluster.wrongs()).toEqual([]);
      }
    },
  );
  await fc.assert(property, { seed: 20, numRuns: 1000 });
});

async function take(cluster: SimulatedMembers, { kind, who, other, times, ms }: Step): Promise<void> {
  const member = cluster.at(who);
  const second = cluster.at(other);
  switch (kind) {
    case "burst":
      return void (await Promise.all(cluster.members.map((each) => each.spend())));
    case "spend":
      return void (await spendAll(member, times));
    case "refund":
      for (const spent of [...cluster.answered].slice(0, times))
        if (spent.member === member.id) await member.refund(spent);
      return;
    case "greet":
      return await member.greet(second);
    case "open":
      return void (await member.open());
    case "restart":
      return await member.restart();
    case "cut":
    case "mend":
      return cluster.setCut(member.id, second.id, kind === "cut");
    case "lose":
      member.losesAnswer = true;
      return;
    case "full":
      member.isFull = true;
      return;
    case "before":
    case "after":
      member.crashAt = kind;
      return;
    case "tick":
      return member.clock.advance(ms);
    case "add":
      return void (cluster.members.length < MOST_MEMBERS && (await cluster.add()));
    default:
      return kind satisfies never;
  }
}
