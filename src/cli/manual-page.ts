import { VERSION } from "#platform/lib/version.ts";
import { flattened, type TreeCommand, type TreeOption } from "./command-tree.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";

/** The day the words around the commands were last changed; a page without one is objected to. */
const EDITION = "2026-11-21";
const LINE_LENGTH = 80;
const VARIABLES = [
  ["DATA_DIR", "The data directory; ~/.claviger when unset. --data-dir wins."],
  ["CLAVIGER_CONFIG_DIR", "The configuration directory. --config-dir wins."],
  ["CLAVIGER_URL", "The server that commands ask, in place of the local one. --url and --data-dir win."],
  ["CLAVIGER_API_KEY_FILE", "The file with the key for it, which nobody else may read. --api-key-file wins."],
  ["CLAVIGER_CA_FILE", "The authority that its certificate must come from, in PEM. --ca-file wins."],
  ["CLAVIGER_PIN", "The SHA-256 of its certificate, as sha256:HEX. --pin wins."],
  ["NO_COLOR", "When set, output on a terminal has no colour."],
] as const;
const REMARK =
  "These stand before the command, or after it unless it has an option of that name itself. Without them the server of the data directory is asked, over its control socket.";

/** The manual page in the macros of man(7), made from the commands themselves. */
export function manualPage(tree: TreeCommand): string {
  const commands = flattened(tree).filter((one) => one.commands.length === 0);
  const lines = [
    `.TH CLAVIGER 1 ${EDITION} ${quoted(`Claviger ${VERSION}`)} "Claviger manual"`,
    ".SH NAME",
    ...text(`claviger - ${withoutStop(tree.says)}`),
    ".SH SYNOPSIS",
    ".B claviger",
    escaped("[options] command [arguments]"),
    ".SH DESCRIPTION",
    ...text(tree.says),
    ...text("A command's results go to standard output, what is said about them to standard error."),
    "With",
    `.B ${escaped("--json")}`,
    "both are JSON.",
    ".SH OPTIONS",
    ...text(REMARK),
    ...tree.options.flatMap(item),
    ".SH COMMANDS",
    ...commands.flatMap(section),
    ".SH ENVIRONMENT",
    ...VARIABLES.flatMap(([name, says]) => [".TP", `.B ${escaped(name)}`, ...text(says)]),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT_MEANINGS).flatMap(([name, says]) => exitItem(name, says)),
  ];
  return `${lines.join("\n")}\n`;
}

function section({ words, args, says, options }: TreeCommand): string[] {
  const shown = args.map((one) => one.shown).join(" ");
  const own = options.filter((option) => !option.choosesServer);
  return [
    `.SS ${quoted(`claviger ${words}${shown === "" ? "" : ` ${shown}`}`)}`,
    ...text(sentence(says)),
    ...args.flatMap((one) =>
      one.says === "" ? [] : [".TP", `.I ${escaped(one.shown)}`, ...text(sentence(one.says))],
    ),
    ...own.flatMap(item),
  ];
}

function item({ flags, says, choices }: TreeOption): string[] {
  const among = choices.length === 0 ? "" : ` One of ${choices.join(", ")}.`;
  return [".TP", `.B ${escaped(flags)}`, ...text(sentence(says) + among)];
}

function exitItem(name: string, says: string): string[] {
  const status = new Map<string, number>(Object.entries(EXIT)).get(name);
  return [".TP", `.B ${status}`, ...text(says.replaceAll("`", ""))];
}

function sentence(text: string): string {
  const capital = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

/** Text as lines of roff, none so long that mandoc's lint objects. */
function text(words: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && escaped(longer).length > LINE_LENGTH) {
      lines.push(escaped(line));
      line = word;
    } else line = longer;
  }
  return [...lines, escaped(line)];
}

/** Text as a line of roff: nothing in it acts, and hyphens can be searched for and copied. */
function escaped(text: string): string {
  const plain = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "\\[u2026]");
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}

/** One argument of a macro. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', "\\(dq")}"`;
}
