import { claviger } from "#test/start/process.ts";
import type { Canaries } from "./canaries.ts";
import { auth, JSON_TYPE, type Subject, send } from "./subject.ts";

/** Server keys where they belong and where they do not, right and wrong ones. The last: what it locks stays unlocked. */
export async function sendServerKeys(subject: Subject, canaries: Canaries): Promise<string> {
  const secret = (place: string) => canaries.plain("server keys", place);
  const socket = { socketPath: `${subject.dataDir}/run/control.sock` };
  const post = (name: string, body: object) =>
    send(socket, {
      method: "POST",
      path: `/api/v1/key/${name}`,
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
  const [first, second] = [secret("the key that is set"), secret("the key in its place")];
  await post("initialize", { key: `${secret("a key too long")} `.repeat(200) });
  await post("initialize", { key: secret("a key, recovery being wrong"), recovery: "yes" });
  await post("initialize", { key: [secret("a key in a list")] });
  await post("initialize", { key: first });
  await post("initialize", { key: secret("a key, one being set") });
  await post("unlock", { key: secret("a wrong key") });
  await post("unlock", { [secret("a key as the name of a field")]: first });
  await post("rotate", {
    current_key: secret("a wrong current key"),
    new_key: secret("a new key, the current being wrong"),
  });
  await post("rotate", { current_key: first, new_key: secret("a new key").slice(0, 11) });
  await post("rotate", { current_key: first, new_key: second });
  await post(`unlock/${secret("a key in the path")}`, {});
  await send(subject.url, {
    method: "POST",
    path: `/api/v1/key/unlock?key=${secret("a key in the query")}`,
    headers: { ...JSON_TYPE, ...auth(subject) },
    body: "{}",
  });
  const commands: { args: string[]; input?: string }[] = [
    { args: ["key", "unlock"], input: secret("a wrong key on stdin") },
    { args: ["key", "unlock", secret("a key as argument")] },
    { args: ["key", "init"], input: secret("a key on stdin, one being set") },
    {
      args: ["key", "rotate"],
      input: `${secret("a wrong current key on stdin")}\n${secret("a new key on stdin")}`,
    },
    { args: ["key", secret("a key in place of a command")] },
  ];
  let written = "";
  for (const { args, input } of commands) {
    const ended = await claviger(
      [...args, "--data-dir", subject.dataDir],
      input === undefined ? {} : { input: `${input}\n` },
    );
    written += ended.stdout + ended.stderr;
  }
  await post("lock", {});
  await post("unlock", { key: second });
  return written;
}
