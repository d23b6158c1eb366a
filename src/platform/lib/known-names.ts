/** Anyone can send names that no one else does. */
const MOST = 512;
const LONGEST = 64;

/**
 * What `of` makes of the name of a header, given in lower case and as it is spelled, remembered under each spelling that
 * comes: there are few, and a look costs less than making a name lower case and finding out again.
 */
export function knownNames<Known>(of: (name: string, spelled: string) => Known): (spelled: string) => Known {
  const remembered = new Map<string, Known>();
  return (spelled) => {
    const known = remembered.get(spelled);
    if (known !== undefined) return known;
    // Copied: a part of a text keeps the whole text, here the head of somebody's request or answer.
    const name = Buffer.from(spelled).toString();
    const found = of(name.toLowerCase(), name);
    if (remembered.size < MOST && spelled.length <= LONGEST) remembered.set(name, found);
    return found;
  };
}
