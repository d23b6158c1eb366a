/** Does `act` when asked, at most once in `everyMs`: what is asked for in between is done once that has passed. */
export function atMostEvery(
  everyMs: number,
  act: () => void,
): { readonly ask: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWanted = false;
  const run = () => {
    isWanted = false;
    timer = setTimeout(rested, everyMs);
    act();
  };
  const rested = () => {
    timer = undefined;
    if (isWanted) run();
  };
  return {
    ask: () => {
      if (timer === undefined) run();
      else isWanted = true;
    },
    stop: () => clearTimeout(timer),
  };
}
