import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "#platform/lib/random.ts";

const MARK_BYTES = 12;
const NUMBER_DIGITS = 4;

/** What was found of a canary: where it lies, in which code, and where it had been sent. */
export interface Finding {
  readonly lies: string;
  readonly code: string;
  readonly sent: string;
}

/**
 * Texts that exist nowhere else, one for each place they are sent to. All begin with the same random mark of letters
 * and digits, which JSON and URLs write as it is, so that one search finds all of them.
 */
export class Canaries {
  readonly #mark: string;
  readonly #sent: { readonly group: string; readonly place: string }[] = [];

  constructor(random: Random) {
    this.#mark = `cn${random.bytes(MARK_BYTES).toString("hex")}`;
  }

  /** A canary for one place; letters and digits only, 30 of them. */
  plain(group: string, place: string): string {
    const number = this.#sent.push({ group, place }) - 1;
    return this.#mark + String(number).padStart(NUMBER_DIGITS, "0");
  }

  /** One with characters around it that JSON, URLs and base64 write otherwise. */
  rich(group: string, place: string): string {
    return `é"+/ ${this.plain(group, place)} \\?&=<`;
  }

  /** How many places there were, by group, in the order of the groups' names. */
  counts(): Map<string, number> {
    const groups = [...new Set(this.#sent.map(({ group }) => group))].toSorted();
    return new Map(groups.map((group) => [group, this.#sent.filter((sent) => sent.group === group).length]));
  }

  /** Every canary in these bytes, however it is written. */
  search(lies: string, bytes: Buffer): Finding[] {
    const codes = [...codesOf(this.#mark)];
    return codes.flatMap(([code, needle]) => {
      const found: Finding[] = [];
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1))
        found.push({ lies, code, sent: this.#sentAt(bytes, at + needle.length, code) });
      return found;
    });
  }

  #sentAt(bytes: Buffer, end: number, code: string): string {
    if (code !== "raw") return "unknown";
    const sent = this.#sent[Number(bytes.toString("latin1", end, end + NUMBER_DIGITS))];
    return sent === undefined ? "unknown" : `${sent.group}: ${sent.place}`;
  }
}

/** A text of letters and digits in each code, as it stands wherever it begins. */
function* codesOf(text: string): Generator<[code: string, needle: string]> {
  const bytes = Buffer.from(text);
  yield ["raw", text];
  yield ["upper case", text.toUpperCase()];
  yield ["hex", bytes.toString("hex")];
  yield ["HEX", bytes.toString("hex").toUpperCase()];
  yield ["URL", text.replace(/./g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)];
  yield ["JSON", text.replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)];
  yield ["UTF-16", [...text].join("\0")];
  for (const lead of [0, 1, 2]) {
    const coded = Buffer.concat([Buffer.alloc(lead), bytes]).toString("base64url");
    // What also depends on the neighbours is cut off at both ends; of letters and digits both base64 are the same.
    yield [
      `base64 at ${lead}`,
      coded.slice(Math.ceil((lead * 8) / 6), Math.floor(((lead + bytes.length) * 8) / 6)),
    ];
  }
}

/** Every file below a directory, as it lies there. */
export function filesUnder(directory: string): [path: string, bytes: Buffer][] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path)]);
}
