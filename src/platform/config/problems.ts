import { StartError } from "#platform/lib/error.ts";

/**
 * One thing wrong with the configuration. `line` and `column` count from 1; both are 0 where there are no lines
 * (`file` is then `environment` or `command line`). Of the file `message` repeats names at most, and only those that
 * are no secret by their look.
 */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Every problem of one load at once, a line each: `FILE:LINE:COLUMN: text`. Exit status 78 (EX_CONFIG). */
export class ConfigProblems extends StartError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemLine).join("\n"), { exitCode: 78 });
    this.name = "ConfigProblems";
    this.problems = problems;
  }
}

/** A problem of the process environment, which has no lines. */
export function environmentProblem(message: string): Problem {
  return { file: "environment", line: 0, column: 0, message };
}

/** A problem of the command line, which has no lines. */
export function commandLineProblem(message: string): Problem {
  return { file: "command line", line: 0, column: 0, message };
}

/** The problems of each file from its beginning to its end; files in the order in which they are first named. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const byFile = Map.groupBy(problems, ({ file }) => file);
  return [...byFile.values()].flatMap((list) =>
    list.toSorted((a, b) => a.line - b.line || a.column - b.column),
  );
}

function problemLine({ file, line, column, message }: Problem): string {
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}
