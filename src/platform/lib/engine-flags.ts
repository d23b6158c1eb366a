import { setFlagsFromString } from "node:v8";

/** Each as on the command line of Node. */
export const ENGINE_FLAGS: readonly string[] = [
  // V8 would make what a request needs among the old objects once a few of them outlived it, and these then keep alive
  // what they point to: a third of all that requests make, and pauses ten times as long (docs/adr/0010).
  "--no-allocation-site-pretenuring",
  // V8 would compile too little into one piece for requests that pass through many small functions (docs/adr/0017).
  "--max-inlined-bytecode-size=1000",
  "--max-inlined-bytecode-size-cumulative=3000",
  "--max-inlined-bytecode-size-small=40",
  // V8 would look through all objects each time that a tenth came to the old ones, which many live streams do every
  // second; now when there are twice as many (docs/adr/0019).
  "--heap-growing-percent=100",
];

/**
 * Has V8 do, in all threads, what pays in a process that serves for long. To be called once all is loaded: Node's own
 * modules bring their compiled code along, which V8 takes only while its flags are those that it was compiled with.
 */
export function setEngineFlags(): void {
  for (const flag of ENGINE_FLAGS) setFlagsFromString(flag);
}
