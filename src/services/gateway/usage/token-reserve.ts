import { JsonScanner } from "../json-scanner.ts";
import { estimateTokens } from "./token-usage.ts";

/** What a request may use at most, in tokens. */
export interface TokenReserve {
  readonly input: number;
  readonly output: number;
}

/** The longest answer of a model that tells of none: no model today writes more in one. */
const LONGEST_ANSWER = 131_072;
/** No request is near it, and sums stay exact. */
const MOST_TOKENS = 100_000_000;

/**
 * The names under which a client says how many tokens are written at most; `n_predict` is what llama.cpp heeds before
 * all others. In lower case, as some upstreams read them in any.
 */
const OUTPUT_MEMBERS = new Set(["max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict"]);
/** How many answers are asked for at once. */
const CHOICES_MEMBER = "n";
/** The longest of them, each letter as an escape of six bytes, and two quotes. */
const LONGEST_KEY_BYTES = 21 * 6 + 2;
const POSSIBLE_FIRST_BYTES = new Set(Buffer.from("mMnN\\"));
const LONGEST_NUMBER_BYTES = 32;

/**
 * The reserve of a request whose body is this JSON, read strictly before. `window` is what the model takes in and gives
 * out together, where that is known; `writes` is false for what answers no text, as embeddings.
 */
export function tokenReserve(
  body: Buffer,
  { writes, window = MOST_TOKENS }: { writes: boolean; window: number | undefined },
): TokenReserve {
  const input = Math.min(estimateTokens(body.length), window);
  if (!writes) return { input, output: 0 };
  const { most, choices } = askedFor(body);
  return { input, output: Math.min(choices * Math.min(most ?? LONGEST_ANSWER, window), MOST_TOKENS) };
}

/** Of members given twice the larger counts: which of them the upstream takes is not known. */
function askedFor(body: Buffer): { most: number | undefined; choices: number } {
  let most: number | undefined;
  let choices = 1;
  const onMember = (keyStart: number, keyEnd: number, start: number, end: number) => {
    const name = memberName(body, keyStart, keyEnd);
    if (name === CHOICES_MEMBER) choices = Math.max(choices, wholeNumber(body, start, end) ?? 1);
    if (!OUTPUT_MEMBERS.has(name)) return;
    if (body.toString("latin1", start, Math.min(end, start + 5)) === "null") return;
    most = Math.max(most ?? 0, wholeNumber(body, start, end) ?? LONGEST_ANSWER);
  };
  new JsonScanner(body, Number.MAX_SAFE_INTEGER, onMember).scan();
  return { most, choices };
}

function memberName(body: Buffer, start: number, end: number): string {
  if (!POSSIBLE_FIRST_BYTES.has(body[start + 1] ?? 0) || end - start > LONGEST_KEY_BYTES) return "";
  return String(JSON.parse(body.toString("utf8", start, end))).toLowerCase();
}

/** Undefined for what no upstream takes for a number of tokens, or takes for no bound at all. */
function wholeNumber(body: Buffer, start: number, end: number): number | undefined {
  const value = Number(body.toString("latin1", start, Math.min(end, start + LONGEST_NUMBER_BYTES)));
  return Number.isInteger(value) && value > 0 ? value : undefined;
}
