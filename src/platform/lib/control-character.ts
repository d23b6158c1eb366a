/** Whether `text` holds a control character of ASCII (a C0 control or DEL). */
export function holdsControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}
