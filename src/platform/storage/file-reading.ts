/** What files held when they were read one after the other, by their names. */
export type FileReading = ReadonlyMap<string, Buffer>;

/** Files that change while they are read are read again; those that go on changing are somebody's play. */
export const MOST_READINGS = 20;

/**
 * Whether two readings in a row gave the same. Then all of it was there at once, at the moment between the two: so what is
 * written in steps that are whole wherever they are cut off is whole in the reading too.
 */
export function isSameReading(one: FileReading, other: FileReading): boolean {
  const isInOther = ([name, bytes]: [string, Buffer]) => other.get(name)?.equals(bytes) === true;
  return one.size === other.size && [...one].every(isInOther);
}
