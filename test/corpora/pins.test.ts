import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePin } from "../../src/services/cluster/pin.ts";
import { corporaDirectory } from "./corpus.ts";

describe.skipIf(corporaDirectory === undefined)("PINs by frequency", () => {
  test("[C1] the 250 commonest of four digits are refused", () => {
    const text = readFileSync(join(corporaDirectory ?? "", "passwords/pins_by_frequency.txt"), "utf8");
    const commonest = text.split(/\s+/).slice(0, 250);
    expect(commonest).toHaveLength(250);
    expect(commonest.filter((pin) => parsePin(pin).ok)).toEqual([]);
  });
});
