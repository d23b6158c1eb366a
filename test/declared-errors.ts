import { openApiDocument } from "#platform/http/openapi.ts";
import type { DeclaredRoute } from "#platform/http/server.ts";
import type { Answer, Call } from "./claviger.ts";

/** What is declared is the same of every server of a process. */
const known = new Map<string, string>();

/** The answer, where the error that it is, if any, is one that its route declares. Throws otherwise. */
export function asDeclared(routes: readonly DeclaredRoute[], call: Call, answer: Answer): Answer {
  if (!String(answer.headers["content-type"]).startsWith("application/problem+json")) return answer;
  const route = routeOf(routes, call);
  const { code, title, detail } = Object(answer.json);
  // What this listener does not serve is answered as what nobody declared.
  const isUnserved = code === "not_found" && detail === title;
  if (route === undefined || isUnserved || declaredOf(route).includes(`"${code}"`)) return answer;
  throw new Error(`${route.method} ${route.path} answers ${code}, and does not declare it: ${answer.text}`);
}

/** A path that is another route's as it stands is not one with a name in its place. */
function routeOf(routes: readonly DeclaredRoute[], call: Call): DeclaredRoute | undefined {
  const path = call.path.split("?")[0] ?? "";
  const [method, apis] = [call.method ?? "GET", routes.filter(({ contract }) => contract?.family === "api")];
  const asked = apis.filter((route) => route.method === method && route.contract?.method === method);
  const isOf = (route: DeclaredRoute) =>
    new RegExp(`^${route.path.replaceAll(/:\w+/g, "[^/]+")}$`).test(path);
  return asked.find((route) => route.path === path) ?? asked.find(isOf);
}

/** The description of one route alone, as text. */
function declaredOf(route: DeclaredRoute): string {
  const name = `${route.method} ${route.path}`;
  const said = known.get(name) ?? JSON.stringify(openApiDocument({ version: "", routes: [route] }));
  known.set(name, said);
  return said;
}
