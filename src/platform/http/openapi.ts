import { errorResponses } from "./openapi-errors.ts";
import { type JsonObject, OpenApiSchemas, withNames } from "./openapi-schemas.ts";
import { SESSION_COOKIE } from "./request-head.ts";
import { OPEN, type RouteContract, SELF } from "./route.ts";
import type { DeclaredRoute } from "./server.ts";

interface DescribedRoute extends DeclaredRoute {
  readonly contract: RouteContract & { readonly family: keyof typeof TAGS };
}

/** How each family is called where operations are grouped, and what is said of it. */
const TAGS = {
  api: [
    "control",
    "The server itself. Bodies are JSON; lists are `{data, next_cursor}`; times are RFC 3339 UTC.",
  ],
  gateway: [
    "gateway",
    "What programs call in place of a provider's own API: bodies are as that API describes them.",
  ],
  node: [
    "nodes",
    "What the nodes of a cluster ask of each other, over TLS that is bound into their credentials.",
  ],
  probe: ["probes", "For whoever watches over the process; open without credentials."],
} as const;
const SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description:
      "An API key: `Authorization: Bearer sk-claviger-…`. Where the listener lets members of the cluster in, also their token.",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description: "The session of somebody who signed in: docs/people.md.",
  },
  node: {
    type: "http",
    scheme: "claviger-node",
    description: "What a node of the cluster proves itself with: docs/formats/node-call.md.",
  },
  "x-api-key": { type: "apiKey", in: "header", name: "x-api-key", description: "On the gateway only." },
  "api-key": { type: "apiKey", in: "header", name: "api-key", description: "On the gateway only." },
  "x-goog-api-key": {
    type: "apiKey",
    in: "header",
    name: "x-goog-api-key",
    description: "On the gateway only.",
  },
} as const;
const GATEWAY_SCHEMES = ["bearer", "x-api-key", "api-key", "x-goog-api-key"] as const;
const HEADERS = {
  RequestId: { description: "Names the request in the server's logs.", schema: { type: "string" } },
  RetryAfter: { description: "Whole seconds until another try is worth it.", schema: { type: "integer" } },
} as const;

/**
 * The OpenAPI 3.1 description (https://spec.openapis.org/oas/v3.1.1) of `routes`, in the order of their paths. The
 * HEAD that the framework adds to each GET is left out, and so are web pages. Error for a route without contract or summary.
 */
export function openApiDocument(facts: { version: string; routes: readonly DeclaredRoute[] }): JsonObject {
  const schemas = new OpenApiSchemas();
  const paths = new Map<string, JsonObject>();
  for (const route of facts.routes.filter(isOwn).sort(inOrder)) {
    const path = publicPath(route.contract.path);
    paths.set(path, { ...paths.get(path), [route.method.toLowerCase()]: operation(route, schemas) });
  }
  const { schemas: shapes, same } = schemas.components();
  const described = { paths: Object.fromEntries(paths), schemas: shapes };
  const { paths: renamedPaths, schemas: renamedSchemas } = withNames(described, same);
  return {
    openapi: "3.1.1",
    info: {
      title: "Claviger",
      version: facts.version,
      description: "Every program gets a key from Claviger; Claviger keeps the keys to everything else.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.values(TAGS).map(([name, description]) => ({ name, description })),
    paths: renamedPaths,
    components: { schemas: renamedSchemas, securitySchemes: SCHEMES, headers: HEADERS },
  };
}

/** A template as OpenAPI writes it: what may stand after a path's last slash has a name too. */
export function publicPath(path: string): string {
  return path.replace(/\*$/, "{rest}");
}

function isOwn(route: DeclaredRoute): route is DescribedRoute {
  if (route.contract === undefined) throw new Error(`${route.path} declares no contract`);
  if (route.contract.family === "page") return false;
  return route.method !== "HEAD" || route.contract.method === "HEAD";
}

function inOrder(a: DescribedRoute, b: DescribedRoute): number {
  const key = ({ contract: { path, method } }: DescribedRoute) => `${path} ${method}`;
  return key(a) < key(b) ? -1 : 1;
}

function operation({ contract, schema }: DescribedRoute, schemas: OpenApiSchemas): JsonObject {
  const { method, path, action, family, openWhileLocked } = contract;
  const summary = schema?.summary ?? contract.described?.summary;
  if (summary === undefined) throw new Error(`${method} ${path} has no summary`);
  const body = bodyOf({ contract, schema }, schemas);
  const parameters = [
    ...pathParameters(path, schema?.params, schemas),
    ...queryParameters(schema?.querystring, schemas),
  ];
  const errors = errorResponses(
    {
      contract,
      hasName: path.includes("{"),
      hasBody: body !== undefined,
      hasQuery: schema?.querystring !== undefined,
      more: schema?.errors ?? [],
    },
    schemas,
  );
  return {
    operationId: operationId(method, path),
    summary,
    tags: [TAGS[family][0]],
    security: action === OPEN ? [] : credentials(contract),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: body }),
    responses: { ...errors, ...successes({ contract, schema }, schemas) },
    "x-claviger-action": action,
    "x-claviger-open-while-locked": openWhileLocked,
  };
}

function credentials({ family, action }: DescribedRoute["contract"]): JsonObject[] {
  const own = action === SELF ? ["session"] : ["bearer", "session"];
  const names = { gateway: GATEWAY_SCHEMES, node: ["node"], probe: own, api: own }[family];
  return names.map((name) => ({ [name]: [] }));
}

function operationId(method: string, path: string): string {
  const words = publicPath(path).split("/").filter(Boolean);
  return [method.toLowerCase(), ...words.map((word) => word.replace(/^\{(.*)\}$/, "by_$1"))].join("_");
}

type Described = Pick<DescribedRoute, "contract" | "schema">;

function bodyOf({ contract, schema }: Described, schemas: OpenApiSchemas): JsonObject | undefined {
  const { described } = contract;
  if (described !== undefined && described.bodies.length > 0) {
    const free = { description: "As the provider's own API describes it." };
    return { content: Object.fromEntries(described.bodies.map((type) => [type, { schema: free }])) };
  }
  if (schema?.body === undefined) return undefined;
  const example = schema.example?.body;
  const content = { schema: schemas.of(schema.body, "input"), ...(example !== undefined && { example }) };
  return { required: true, content: { "application/json": content } };
}

function pathParameters(path: string, declared: unknown, schemas: OpenApiSchemas): JsonObject[] {
  const { properties } = declared === undefined ? {} : schemas.of(declared, "input");
  const known = new Map(isObject(properties) ? Object.entries(properties) : []);
  return [...publicPath(path).matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: known.get(name) ?? { type: "string" },
    ...(name === "rest" && { description: "Of any depth; slashes in it are sent as they are." }),
  }));
}

function queryParameters(declared: unknown, schemas: OpenApiSchemas): JsonObject[] {
  if (declared === undefined) return [];
  const { properties, required } = schemas.of(declared, "input");
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  return Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: needed.has(name),
    schema,
  }));
}

/** Of several answers the example is the one there always is. */
const EXEMPLARY = new Set(["200", "201"]);

function successes({ contract, schema }: Described, schemas: OpenApiSchemas): JsonObject {
  const headers = { "x-request-id": { $ref: "#/components/headers/RequestId" } };
  if (contract.described !== undefined)
    return {
      200: { description: "As the provider's own API answers.", headers, content: { "*/*": { schema: {} } } },
      default: { description: "What the upstream answered, under its own status.", headers },
    };
  if (!isObject(schema?.response)) return { 204: { description: "Done; no body.", headers } };
  const example = schema?.example?.answer;
  return Object.fromEntries(
    Object.entries(schema.response).map(([status, declared]) => {
      const shown = EXEMPLARY.has(status) && example !== undefined ? { example } : {};
      const content = contentOf(declared, schemas, shown);
      return [status, { description: Number(status) < 300 ? "Done." : "Not now.", headers, content }];
    }),
  );
}

/** JSON of that schema, or the media types the declaration names itself. */
function contentOf(declared: unknown, schemas: OpenApiSchemas, shown: JsonObject): JsonObject {
  const types = isObject(declared) ? declared.content : undefined;
  if (!isObject(types)) return { "application/json": { schema: schemas.of(declared, "output"), ...shown } };
  return Object.fromEntries(
    Object.entries(types).map(([type, each]) => [
      type,
      { schema: schemas.of(isObject(each) ? each.schema : undefined, "output"), ...shown },
    ]),
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null;
}
