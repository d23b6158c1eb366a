/**
 * A field of CSV as RFC 4180 has it: quoted where it must be, quotes doubled. A text that a spreadsheet would take for a
 * formula gets an apostrophe in front.
 */
export function csvText(text: string): string {
  const guarded = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
