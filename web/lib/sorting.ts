import { useSearchWords } from "./search-words.ts";

/** The order of a list that the server sorts: it stands in the address as `sort`, with `-` for the largest first. */
export function useSorting<const Column extends string>(
  columns: readonly Column[],
  initial: Column | `-${Column}`,
) {
  const [words, change] = useSearchWords();
  const sorts = columns.flatMap((column) => [column, `-${column}`] as const);
  const sort = sorts.find((each) => each === words.sort) ?? initial;
  const isDescending = sort.startsWith("-");
  const by = isDescending ? sort.slice(1) : sort;
  const direction: "ascending" | "descending" = isDescending ? "descending" : "ascending";
  const onChange = (next: string) => change({ sort: next === by && !isDescending ? `-${next}` : next });
  return { sort, sorting: { by, direction, onChange } };
}
