import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

/** How short names are completed, resolv.conf(5). */
export interface SearchRules {
  readonly search: readonly string[];
  /** A name with at least so many dots is tried as it is first. */
  readonly ndots: number;
}

const MAX_SEARCHED = 6;

/** hosts(5) as lower-case name -> addresses, in their order; empty when there is no such file. */
export async function readHostsFile(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const hosts = new Map<string, string[]>();
  for (const line of await linesOf(path)) {
    const [address = "", ...names] = wordsOf(line);
    if (isIP(address) === 0) continue;
    for (const name of names.map((one) => one.toLowerCase())) {
      const known = hosts.get(name) ?? [];
      if (!known.includes(address)) known.push(address);
      hosts.set(name, known);
    }
  }
  return hosts;
}

/** The search list and `ndots` of resolv.conf(5); no search and 1 when the file does not say. */
export async function readSearchRules(path: string): Promise<SearchRules> {
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of await linesOf(path)) {
    const [keyword, ...words] = wordsOf(line);
    if (keyword === "search" || keyword === "domain") {
      search = words.map((word) => word.replace(/\.$/, "")).filter((word) => word !== "");
    }
    const option = keyword === "options" ? words.findLast((word) => /^ndots:\d+$/.test(word)) : undefined;
    if (option !== undefined) ndots = Number(option.slice("ndots:".length));
  }
  return { search: search.slice(0, MAX_SEARCHED), ndots };
}

/** The full names to ask DNS for, in their order. */
export function searchedNames(name: string, rules: SearchRules): readonly string[] {
  const completed = rules.search.map((domain) => `${name}.${domain}`);
  const dots = name.split(".").length - 1;
  return dots >= rules.ndots ? [name, ...completed] : [...completed, name];
}

async function linesOf(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n");
  } catch {
    // Many systems have neither file; DNS and nsswitch answer there.
    return [];
  }
}

function wordsOf(line: string): readonly string[] {
  const [text = ""] = line.split(/[#;]/, 1);
  return text.trim().split(/\s+/);
}
