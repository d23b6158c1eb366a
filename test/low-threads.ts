import { readdirSync, readFileSync } from "node:fs";

/** How many threads of a process give way to its first one: by field 19 of proc_pid_stat(5), the niceness. Linux alone. */
export function lowThreads(pid: number): number {
  const usual = nicenessAt(`/proc/${pid}/stat`);
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    nicenessAt(`/proc/${pid}/task/${thread}/stat`),
  );
  return threads.filter((niceness) => niceness > usual).length;
}

function nicenessAt(file: string): number {
  const text = readFileSync(file, "utf8");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16]);
}
