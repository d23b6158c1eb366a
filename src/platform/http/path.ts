/** Which part of the server a path belongs to, declared there or not. */
export type PathFamily = "api" | "gateway" | "page";

const FAMILIES: ReadonlyMap<string, PathFamily> = new Map([
  ["api", "api"],
  ["v1", "gateway"],
  ["v1beta", "gateway"],
  ["x", "gateway"],
]);
/** Escapes within escapes are undone this often; deeper ones are nobody's honest spelling. */
const UNESCAPE_ROUNDS = 3;

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

/**
 * The family a path lies under. An odd spelling (doubled slashes, dot segments, escapes, other case) is judged by
 * what it imitates: a stranger who tries one is a stranger at that door, and is told no more than there.
 */
export function familyOf(path: string): PathFamily {
  const end = path.indexOf("/", 1);
  const literal = FAMILIES.get(end < 0 ? path.slice(1) : path.slice(1, end));
  return literal ?? FAMILIES.get(imitatedSegment(path)) ?? "page";
}

/**
 * Whether `path` is spelled exactly as the template says: what a router takes for the same path (`/%68ealth`,
 * `/health#x`) is another one here. `{name}` stands for one segment without a slash or dots of its own.
 */
export function isSpelledAs(template: string, path: string): boolean {
  const wanted = template.split("/");
  const segments = path.split("/");
  return (
    wanted.length === segments.length &&
    wanted.every((part, index) => {
      const segment = segments[index] ?? "";
      return part.startsWith("{") ? isParameter(segment) : part === segment;
    })
  );
}

/** `text` with its percent escapes undone, byte for byte, also where they are escaped again. Never throws. */
export function unescapeFully(text: string): string {
  let current = text;
  for (let round = 0; round < UNESCAPE_ROUNDS && current.includes("%"); round++) {
    current = current.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return current;
}

function isParameter(segment: string): boolean {
  const plain = unescapeFully(segment);
  return plain !== "" && plain !== "." && plain !== ".." && !/[/\\#;\0]/.test(plain);
}

function imitatedSegment(path: string): string {
  const way: string[] = [];
  for (const part of unescapeFully(path).toLowerCase().split(/[/\\]/)) {
    const name = (part.split(/[;#?\0]/, 1)[0] ?? "").trim();
    if (name === "..") way.pop();
    else if (name !== "" && name !== ".") way.push(name);
  }
  return way[0] ?? "";
}
