import { claviger } from "#test/start/process.ts";
import type { Canaries } from "./canaries.ts";
import type { Subject } from "./subject.ts";

/** Commands with a secret on stdin, where it belongs, and in places where it does not. Gives what they wrote. */
export async function sendByCommand(subject: Subject, canaries: Canaries): Promise<string> {
  const secret = (place: string) => canaries.plain("the command line", place);
  const add = (name: string) => ["provider", "add", name, "--base-url", subject.upstream.baseUrl];
  const kind = ["--kind", "openai-compatible"];
  const commands: { args: string[]; input?: string }[] = [
    { args: [...add("by-command"), ...kind], input: secret("a credential on stdin") },
    { args: [...add("by-command"), ...kind], input: secret("a credential on stdin, the name being taken") },
    { args: [...add("bad name"), ...kind], input: secret("a credential on stdin, the name being wrong") },
    { args: [...add("bad"), "--kind", "none"], input: secret("a credential on stdin, the kind being wrong") },
    { args: [...add("bad"), ...kind], input: `${secret("a credential of two words")} x` },
    {
      args: ["provider", "set-credential", "by-command"],
      input: secret("a credential that replaces another"),
    },
    { args: ["provider", "set-credential", "nobody"], input: secret("a credential of nobody") },
    { args: [...add("bad"), secret("a credential as argument")] },
    { args: [...add("bad"), "--credential", secret("a credential as value of an unknown option")] },
    { args: [...add("bad"), `--credential=${secret("a credential as part of an unknown option")}`] },
    { args: ["provider", secret("a credential in place of a command")] },
    { args: ["provider", "list", secret("a credential too many")] },
    { args: ["api-key", "validate", "no-hash", "--key", secret("a key to validate")] },
    { args: ["api-key", "validate", "no-hash"], input: secret("a key to validate on stdin") },
  ];
  let written = "";
  for (const { args, input } of commands) {
    const global = args[0] === "api-key" ? [] : ["--data-dir", subject.dataDir];
    const ended = await claviger([...args, ...global], input === undefined ? {} : { input: `${input}\n` });
    written += ended.stdout + ended.stderr;
  }
  return written;
}
