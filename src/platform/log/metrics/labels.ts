import { CLIENT_LEFT } from "../../lib/client-left.ts";

/** Stands for every name beyond those that have a series of their own. */
export const OTHER = "other";

/** Two names of 256 characters and the slash between them; nothing unseen, nothing that ends a line. */
const PRESENTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,513}$/u;

/**
 * What may stand as the value of a label: the first `capacity` names that come, as they are, and `other` for every
 * name after them. So no number of names costs more than that many series.
 */
export class LabelNames {
  readonly #capacity: number;
  readonly #known = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The label value of `name`: itself or `other`. */
  admit(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.#capacity || !PRESENTABLE.test(name)) return OTHER;
    this.#known.add(name);
    return name;
  }
}

/** The answer's status by its first digit; `left` (499) for a client that was gone before there was one. */
export type StatusClass = "1xx" | "2xx" | "3xx" | "4xx" | "5xx" | "left";

const CLASSES: readonly StatusClass[] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

export function statusClass(status: number): StatusClass {
  if (status === CLIENT_LEFT) return "left";
  return CLASSES[Math.floor(status / 100) - 1] ?? "5xx";
}
