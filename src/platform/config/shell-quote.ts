/** `text` as one word of a POSIX shell: bare when harmless, else in single quotes. */
export function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(text) && !text.startsWith("-")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
