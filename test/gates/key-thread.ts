import { workerData } from "node:worker_threads";
import { attachKeys, type KeyMemory } from "#identity/keys/index.ts";
import { Secret } from "#platform/lib/secret.ts";
import { type Question, type Talk, takeText, tell, waitForTurn } from "./key-talk.ts";

const ROUNDS = 100_000_000;

interface Start {
  readonly memory: KeyMemory;
  readonly secret: string;
  readonly talk: Talk;
}

let nowMs = 0;
serve(workerData);

/** Answers what the other side asks, until it is told to end. Never reads a message: memory is all it shares. */
function serve({ memory, secret, talk }: Start): void {
  const keys = attachKeys(memory, new Secret(secret), { now: () => nowMs });
  const answer = (question: Question): unknown => {
    switch (question.op) {
      case "authenticate":
        return keys.authenticate(question.text);
      case "await":
        return question.texts.map((text) => {
          for (let round = 0; round < ROUNDS; round++) {
            const verdict = keys.authenticate(text);
            if (verdict.ok || verdict.reason !== "unknown") return verdict;
          }
          return "never came";
        });
      case "use":
        nowMs = question.nowMs;
        keys.markUsed(question.slot);
        return { holds: keys.holds(question.slot), limits: keys.limitsOf(question.slot) };
      default:
        return question satisfies never;
    }
  };
  for (;;) {
    waitForTurn(talk, "thread");
    const question: Question | "end" = JSON.parse(takeText(talk));
    if (question === "end") return;
    tell(talk, "test", answer(question));
  }
}
