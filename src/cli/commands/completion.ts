import { Argument, type Command } from "commander";
import type { CommandContext } from "../command-context.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** One place on the command line: the words typed so far (`api-key create`) and what may come next. */
interface Place {
  readonly words: string;
  readonly next: readonly { readonly word: string; readonly says: string }[];
}

/** `claviger completion bash|zsh|fish`: a script that completes commands and options, made from the commands themselves. */
export function completionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .description("print a completion script for a shell: source <(claviger completion bash)")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .option("--json", "print JSON")
    .action((shell: Shell) => {
      const script = scriptFor(shell, placesOf(program, []));
      context.output().result({ shell, script }, () => script);
    });
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const commands = command.commands.map((one) => ({ word: one.name(), says: one.description() }));
  const options = command.options.flatMap((one) =>
    one.long ? [{ word: one.long, says: one.description }] : [],
  );
  const below = command.commands.flatMap((one) => placesOf(one, [...path, one.name()]));
  return [{ words: path.join(" "), next: [...commands, ...options] }, ...below];
}

function scriptFor(shell: Shell, places: readonly Place[]): string {
  switch (shell) {
    case "bash":
      return bashScript(places);
    case "zsh":
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
    case "fish":
      return fishScript(places);
    default:
      return shell satisfies never;
  }
}

/** The place is the longest row of typed words that is one; a value (`create my-app`) does not change it. */
function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next }) => `    "${words}") printf '%s' '${spaced(next)}' ;;`);
  return `_claviger_next() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_claviger() {
  local place="" try word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    try="\${place:+$place }$word"
    _claviger_next "$try" >/dev/null && place=$try
  done
  COMPREPLY=($(compgen -W "$(_claviger_next "$place")" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _claviger claviger`;
}

function spaced(next: Place["next"]): string {
  return next.map(({ word }) => word).join(" ");
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next }) =>
    next.map(({ word, says }) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c claviger -n '${fishCondition(words, places)}' ${what} -d '${says.replaceAll(/['\\]/g, "\\$&")}'`;
    }),
  );
  return lines.join("\n");
}

function fishCondition(words: string, places: readonly Place[]): string {
  if (words === "") return "__fish_use_subcommand";
  const seen = words.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = places
    .filter((place) => place.words.startsWith(`${words} `))
    .map((place) => place.words.slice(words.length + 1));
  const not = below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(" ")}`] : [];
  return [...seen, ...not].join("; and ");
}
