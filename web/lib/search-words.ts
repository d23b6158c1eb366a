import { useNavigate, useSearch } from "@tanstack/react-router";

/** What stands behind `?` in the address: kept by a reload, handed on with the link. */
export type SearchWords = Readonly<Record<string, string | undefined>>;

/** The words of the address, and how to change some of them; an empty one is taken out. */
export function useSearchWords(): readonly [SearchWords, (changes: SearchWords) => void] {
  const words: SearchWords = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (changes: SearchWords) =>
    void navigate({ to: ".", search: { ...words, ...changes }, replace: true, resetScroll: false });
  return [words, change];
}
