import { Secret } from "#platform/lib/secret.ts";
import { COMMON_PINS } from "./common-pins.ts";

const FIRST_YEAR = 1900;
const LAST_YEAR = 2099;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Where the parts of a date stand in so many digits: D day, M month, Y year. */
const DATE_FORMS = ["DDMM", "MMDD", "DDMMYY", "MMDDYY", "YYMMDD", "YYYYMM"].concat([
  "DDMMYYYY",
  "MMDDYYYY",
  "YYYYMMDD",
]);

/** A PIN that may be used, or why not, as a sentence. */
export type ParsedPin =
  | { readonly ok: true; readonly pin: Secret }
  | { readonly ok: false; readonly reason: string };

/**
 * A cluster's PIN: 4 to 12 ASCII digits, but none that is guessed early: the commonest 250 of four digits, a part
 * repeated, runs up or down, years from 1900 to 2099, and dates (`DDMM`, `MMDD`; `DDMMYY`, `MMDDYY`, `YYMMDD`; with
 * such a year `YYYYMM`, `DDMMYYYY`, `MMDDYYYY`, `YYYYMMDD`).
 */
export function parsePin(text: unknown): ParsedPin {
  if (typeof text !== "string" || !/^[0-9]{4,12}$/.test(text))
    return { ok: false, reason: "A PIN is 4 to 12 digits, nothing else." };
  const reason = whyGuessed(text);
  return reason === undefined ? { ok: true, pin: new Secret(text) } : { ok: false, reason };
}

function whyGuessed(digits: string): string | undefined {
  if (/^([0-9]+?)\1+$/.test(digits)) return "This PIN repeats itself; such PINs are guessed first.";
  if (isRun(digits)) return "This PIN counts up or down; such PINs are guessed first.";
  if (digits.length === 4 && isYear(digits)) return "This PIN is a year; years are guessed first.";
  if (COMMON_PINS.has(digits)) return "This PIN is among the 250 commonest; those are guessed first.";
  const form = DATE_FORMS.find((known) => known.length === digits.length && isDate(digits, known));
  if (form !== undefined) return `This PIN is a date (${form}); dates are guessed first.`;
  return undefined;
}

/** Each digit one or two above the one before, or below it; 0 follows 9. */
function isRun(digits: string): boolean {
  const steps = new Set(
    [...digits.slice(1)].map((digit, at) => (Number(digit) - Number(digits[at]) + 10) % 10),
  );
  return steps.size === 1 && [1, 2, 8, 9].some((step) => steps.has(step));
}

function isYear(digits: string): boolean {
  return Number(digits) >= FIRST_YEAR && Number(digits) <= LAST_YEAR;
}

function isDate(digits: string, form: string): boolean {
  const part = (letter: string) => digits.slice(form.indexOf(letter), form.lastIndexOf(letter) + 1);
  const month = Number(part("M"));
  const longest = LONGEST_MONTHS[month - 1];
  if (longest === undefined) return false;
  const year = form.includes("Y") ? part("Y") : undefined;
  if (year?.length === 4 && !isYear(year)) return false;
  if (!form.includes("D")) return true;
  const day = Number(part("D"));
  if (month === 2 && day === 29) return year === undefined || isLeap(Number(year));
  return day >= 1 && day <= longest;
}

/** Of two digits the century is not known: 00 may be 2000, which was one. */
function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
