/** One operation, as far as the page shows it. */
export interface Operation {
  /** `GET /api/v1/keys/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly group: string;
  /** The action it asks for; `open` where it takes no credential. */
  readonly action: string;
  readonly openWhileLocked: boolean;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  /** Texts of JSON, or undefined where there is none. */
  readonly body: string | undefined;
  readonly answer: string | undefined;
  readonly answers: readonly { readonly status: string; readonly about: string }[];
}

type Members = Readonly<Record<string, unknown>>;

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/** What an OpenAPI 3.1 document describes, in its order. What is not as expected is left out. */
export function operationsOf(document: unknown): Operation[] {
  return Object.entries(membersOf(membersOf(document).paths)).flatMap(([path, methods]) =>
    Object.entries(membersOf(methods))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, described]) => operationOf(method.toUpperCase(), path, membersOf(described))),
  );
}

/** Whether all words of `wanted` are somewhere in it. */
export function isAbout(operation: Operation, wanted: string): boolean {
  const text = `${operation.name} ${operation.summary} ${operation.action} ${operation.group}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A line for a terminal that asks for it. */
export function curlOf(operation: Operation, origin: string): string {
  const words = [
    `curl -X ${operation.method} '${origin}${operation.path}'`,
    ...(operation.action === "open" ? [] : ["  -H 'Authorization: Bearer YOUR-KEY'"]),
    ...(operation.body === undefined
      ? []
      : [
          "  -H 'Content-Type: application/json'",
          `  --data '${JSON.stringify(JSON.parse(operation.body)).replaceAll("'", `'\\''`)}'`,
        ]),
  ];
  return words.join(" \\\n");
}

function operationOf(method: string, path: string, described: Members): Operation {
  const responses = Object.entries(membersOf(described.responses));
  const first = responses.find(([status]) => status.startsWith("2"))?.[1];
  return {
    name: `${method} ${path}`,
    method,
    path,
    summary: textOf(described.summary),
    group: textOf(listOf(described.tags)[0]),
    action: textOf(described["x-claviger-action"]),
    openWhileLocked: described["x-claviger-open-while-locked"] === true,
    parameters: listOf(described.parameters).map((each) => {
      const parameter = membersOf(each);
      return {
        name: textOf(parameter.name),
        in: textOf(parameter.in),
        required: parameter.required === true,
      };
    }),
    body: exampleOf(described.requestBody),
    answer: exampleOf(first),
    answers: responses.map(([status, answer]) => ({
      status,
      about: textOf(membersOf(answer).description),
    })),
  };
}

function exampleOf(holder: unknown): string | undefined {
  const json = membersOf(membersOf(membersOf(holder).content)["application/json"]).example;
  return json === undefined ? undefined : JSON.stringify(json, null, 2);
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
