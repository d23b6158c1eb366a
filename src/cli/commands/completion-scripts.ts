import { flattened, type TreeCommand } from "../command-tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What may come next at one place, and what an option there takes. */
interface Place {
  readonly words: string;
  readonly next: readonly { readonly word: string; readonly says: string }[];
  /** By option: its values, none where those are not known; options that take none are not among them. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Whether something follows that is no word of ours. */
  readonly open: boolean;
}

/** The script that completes commands, options and those values that are few, for one shell. */
export function completionScript(shell: Shell, tree: TreeCommand): string {
  const places = flattened(tree).map(placeOf);
  switch (shell) {
    case "bash":
      return bashScript(places);
    case "zsh":
      return zshScript(places);
    case "fish":
      return fishScript(places);
    default:
      return shell satisfies never;
  }
}

function placeOf({ words, commands, options, args }: TreeCommand): Place {
  const valued = options.filter(({ takesValue }) => takesValue);
  return {
    words,
    next: [
      ...commands.map(({ name, says }) => ({ word: name, says })),
      ...args.flatMap(({ choices, says }) => choices.map((word) => ({ word, says }))),
      ...options.map(({ long, says }) => ({ word: long, says })),
    ],
    values: new Map(valued.map(({ long, choices }) => [long, choices])),
    open: args.some(({ choices }) => choices.length === 0),
  };
}

/**
 * The functions that bash and zsh share: `_claviger_next PLACE` prints a word and what it does a line, and fails where
 * there is no such place; `_claviger_values "PLACE OPTION"` likewise the values of an option.
 */
function sharedFunctions(places: readonly Place[]): string {
  const next = places.map(
    ({ words, next: all }) =>
      `    ${quoted(words)}) printf '%s\\n' ${all.map(({ word, says }) => quoted(`${word}:${says}`)).join(" ")} ;;`,
  );
  const values = places.flatMap((place) =>
    [...place.values].map(
      ([option, choices]) =>
        `    ${quoted(`${place.words} ${option}`)}) printf '%s\\n' ${choices.map(quoted).join(" ")} ;;`,
    ),
  );
  return `_claviger_next() {
  case "$1" in
${next.join("\n")}
    *) return 1 ;;
  esac
}
_claviger_values() {
  case "$1" in
${values.join("\n")}
    *) return 1 ;;
  esac
}`;
}

/** The place is the longest row of typed words that is one; a value (`create my-app`) does not change it. */
function bashScript(places: readonly Place[]): string {
  return `${sharedFunctions(places)}
_claviger() {
  local place="" try word words IFS=$'\\n'
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    try="\${place:+$place }$word"
    _claviger_next "$try" >/dev/null && place=$try
  done
  words=$(_claviger_values "$place $before") || words=$(_claviger_next "$place" | sed 's/:.*//')
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _claviger claviger`;
}

function zshScript(places: readonly Place[]): string {
  return `#compdef claviger
${sharedFunctions(places)}
_claviger() {
  local place="" try word lines
  for word in "\${(@)words[2,CURRENT-1]}"; do
    try="\${place:+$place }$word"
    _claviger_next "$try" >/dev/null && place=$try
  done
  lines=$(_claviger_values "$place $words[CURRENT-1]") || lines=$(_claviger_next "$place")
  local -a next
  next=("\${(@f)lines}")
  [[ -n "$lines" ]] && _describe -V claviger next || _files
}
compdef _claviger claviger`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const at = `complete -c claviger -n ${fishQuoted(`__claviger_at ${fishQuoted(place.words)}`)}`;
    const words = place.next.map(({ word, says }) => {
      const said = `-d ${fishQuoted(says)}`;
      if (!word.startsWith("--")) return `${at} -a ${word} ${said}`;
      const values = place.values.get(word);
      if (values === undefined) return `${at} -l ${word.slice(2)} ${said}`;
      const taken = values.length === 0 ? "-r -F" : `-x -a ${fishQuoted(values.join(" "))}`;
      return `${at} -l ${word.slice(2)} ${taken} ${said}`;
    });
    return place.open ? words : [`${at} -f`, ...words];
  });
  return `set -g __claviger_places ${places.map(({ words }) => fishQuoted(words)).join(" ")}
function __claviger_at
  set -l place ''
  for word in (commandline -opc)[2..-1]
    set -l try (string trim -- "$place $word")
    contains -- "$try" $__claviger_places; and set place $try
  end
  test "$place" = "$argv[1]"
end
${lines.join("\n")}`;
}

/** One word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
