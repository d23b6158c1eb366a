import { inspect } from "node:util";

const MASK = "[secret]";

/** A text that cannot print itself: string, JSON and inspection all give `[secret]`; only `expose()` gives it out. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  expose(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
