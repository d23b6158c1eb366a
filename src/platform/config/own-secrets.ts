import { REFUSED_VARIABLES, SECRET_VARIABLES } from "./settings.ts";

/** The server key, from wherever it is taken at a start. */
const SERVER_KEY = /^CLAVIGER_SERVER_KEY(_|$)/;
const PREFIX = /^CLAVIGER_/;
const SUFFIX = /_FILE$/;

/** Whether an environment variable of this name holds a secret of this server, or names the file that does. */
export function isOwnSecret(variable: string): boolean {
  const name = variable.replace(SUFFIX, "");
  const isUrl = REFUSED_VARIABLES.some((refused) => name === `CLAVIGER_${refused.name}`);
  const isSecret = SECRET_VARIABLES.some((secret) => name.replace(PREFIX, "") === secret.name);
  return isUrl || isSecret || SERVER_KEY.test(variable);
}
