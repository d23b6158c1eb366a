import { useSearchWords } from "#lib/search-words.ts";
import type { Sorting } from "./data-table.tsx";

type Sort<Column extends string> = Column | `-${Column}`;

/**
 * By what a list is sorted: the word `sort` of the address, with `-` before it for the largest first. A column that is chosen
 * again turns round; without a `standard` the third time gives the list's own order back.
 */
export function useSorting<const Column extends string>(of: {
  readonly columns: readonly Column[];
  readonly standard?: Sort<Column>;
  /** Of these the largest comes first when they are chosen. */
  readonly largestFirst?: readonly Column[];
}): { readonly sort: Sort<Column> | undefined; readonly sorting: Sorting } {
  const [words, changeWords] = useSearchWords();
  const { columns, standard, largestFirst = [] } = of;
  const known = columns.flatMap((column): Sort<Column>[] => [column, `-${column}`]);
  const sort = known.find((each) => each === words.sort) ?? standard;
  const choose = (column: string) => {
    const first = largestFirst.some((each) => each === column) ? `-${column}` : column;
    const second = first === column ? `-${column}` : column;
    const next = sort === first ? second : sort === second && standard === undefined ? undefined : first;
    changeWords({ sort: next === standard ? undefined : next });
  };
  return {
    sort,
    sorting: {
      by: sort?.replace("-", "") ?? "",
      direction: sort?.startsWith("-") === true ? "descending" : "ascending",
      onChange: choose,
    },
  };
}

/** The way a list goes through time: the word `order` of the address. Its column is sorted by `time`. */
export function useTimeOrder(): { readonly order: "newest" | "oldest"; readonly sorting: Sorting } {
  const [words, changeWords] = useSearchWords();
  const order = words.order === "oldest" ? "oldest" : "newest";
  return {
    order,
    sorting: {
      by: "time",
      direction: order === "newest" ? "descending" : "ascending",
      onChange: () => changeWords({ order: order === "newest" ? "oldest" : undefined }),
    },
  };
}
