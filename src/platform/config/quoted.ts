const LONGEST_NAME = 48;
const LONGEST_WORD = 16;
/** Beginnings that tokens of well-known services have. */
const TOKEN = /^(sk|pk|rk|xox[a-z]|ghp|gho|ghs|glpat|akia|eyj|hf|key|token|secret|password)[-_]/i;
/** A run of letters as people write them, lower case or in humps, or a short number. */
const WORD = /^(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+){0,3}\d{0,3}|[A-Z]{1,10}\d{0,3}|\d{1,4})$/;

/**
 * A name from the file for a message: `"gateway.user"`, or `this` for what may be a secret that was put in the wrong
 * place. Only what consists of a few short words is a name: random text hardly ever does.
 */
export function quoted(text: string): string {
  if (text.length > LONGEST_NAME || TOKEN.test(text)) return "this";
  const words = text.split(/[-._*:/]/).filter((word) => word !== "");
  const plain = words.every((word) => word.length <= LONGEST_WORD && WORD.test(word));
  return plain && words.length <= 6 ? `"${text}"` : "this";
}
