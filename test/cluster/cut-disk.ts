import { type DiskSteps, realDisk } from "#services/cluster/write-credential-set.ts";

/** The real disk, on which the power goes before the step of this number. */
export function cutBefore(step: number): DiskSteps {
  let steps = 0;
  const counted =
    <Given extends readonly unknown[]>(work: (...given: Given) => void) =>
    (...given: Given) => {
      steps += 1;
      if (steps > step) throw new Error("cut off");
      work(...given);
    };
  return {
    create: counted(realDisk.create),
    rename: counted(realDisk.rename),
    remove: counted(realDisk.remove),
    sync: counted(realDisk.sync),
  };
}
