/** Each class excludes what ends it, so that no text is read twice. No folded line, no blank before the colon. */
const LINES = /(?:[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*/y;
const TAB = 0x09;
const BLANK = 0x20;

/**
 * Tells each field of a head (RFC 9112, 5) from `from` to the end of `text`: its name as it is spelled, its value without
 * blanks around it, and where in `text` its line ends. False, and nothing told, when a line is none.
 */
export function eachField(
  text: string,
  from: number,
  tell: (name: string, value: string, lineEnd: number) => void,
): boolean {
  // All lines at once, and not `exec`: what it gives for each costs more than to find its colon and its end again.
  LINES.lastIndex = from;
  LINES.test(text);
  if (LINES.lastIndex !== text.length) return false;
  for (let at = from, end: number; at < text.length; at = end + 2) {
    const colon = text.indexOf(":", at);
    end = text.indexOf("\r", colon);
    tell(text.slice(at, colon), withoutBlanks(text, colon + 1, end), end);
  }
  return true;
}

/** Whether a tab stands right before this place: there are readers to whom it belongs to the value of the line. */
export function isTabbed(text: string, lineEnd: number): boolean {
  return text.charCodeAt(lineEnd - 1) === TAB;
}

/** Without blanks and tabs at both ends, and no other white space: `trim` would take a byte of a character. */
function withoutBlanks(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}
