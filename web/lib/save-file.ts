/** Has the browser save `content` as a file of this name, where it saves downloads. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** `20261122T031405Z`: a moment as it stands in the name of a file. */
export function fileTime(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, "");
}
