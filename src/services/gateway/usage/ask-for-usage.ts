import { JsonScanner } from "../json-scanner.ts";

const NAME = "stream_options";
const QUOTED_NAME = Buffer.from(`"${NAME}"`);
/** How a letter of the name may be spelled otherwise; elsewhere in a body it only costs a closer look. */
const ASCII_ESCAPE = Buffer.from("\\u00");
const OPEN_BRACE = 0x7b;
const SPLICE = Buffer.from(`"${NAME}":{"include_usage":true},`);
const LONGEST_KEY_BYTES = 6 * NAME.length + 2;

/**
 * A chat request that also asks for the figures at the end of its stream, every other byte the same. Undefined when
 * it sets `stream_options` itself, whatever to: then nothing is asked and nothing may be hidden. `body` must be a JSON
 * object that was checked already and is not empty.
 */
export function askForUsage(body: Buffer): Buffer | undefined {
  if ((body.includes(QUOTED_NAME) || body.includes(ASCII_ESCAPE)) && hasStreamOptions(body)) return undefined;
  const inside = body.indexOf(OPEN_BRACE) + 1;
  return Buffer.concat([body.subarray(0, inside), SPLICE, body.subarray(inside)]);
}

function hasStreamOptions(body: Buffer): boolean {
  let found = false;
  const onMember = (keyStart: number, keyEnd: number) => {
    if (keyEnd - keyStart <= LONGEST_KEY_BYTES)
      found ||= JSON.parse(body.toString("utf8", keyStart, keyEnd)) === NAME;
  };
  new JsonScanner(body, Number.POSITIVE_INFINITY, onMember).scan();
  return found;
}
