/** Asks for the rows from offset on, at most limit of them; total is how many there are altogether. */
export type Page<T> = (offset: number, limit: number) => Promise<{ rows: T[]; total: number }>;

/**
 * Walks a list of Rainbow's, size rows a call (2 to 1,000), as examples/go/paging.go does and explains: each page begins
 * with the last row of the one before, so that rows which others create or delete meanwhile lead to none that is left out
 * and to none that comes twice. Page has to sort by something that no two rows share.
 */
export async function* all<T>(size: number, key: (row: T) => string, page: Page<T>): AsyncGenerator<T> {
  let last: Set<string> | undefined; // the keys of the two pages that brought rows last
  let older: Set<string> | undefined;
  for (let offset = 0; ; ) {
    const { rows, total } = await page(offset, size);
    // Behind the last row that is known.
    const fresh = rows.findLastIndex((row) => last?.has(key(row)) || older?.has(key(row))) + 1;
    if (last && fresh === 0) {
      if (offset > 0) {
        offset = Math.max(0, offset - last.size + 1); // rows before the place were deleted
        continue;
      }
      if (rows.length > 0) throw new Error("list: changed by more than a page while it was read");
    }
    if (fresh < rows.length) [last, older] = [new Set(), last];
    for (const row of rows) last?.add(key(row));
    yield* rows.slice(fresh);
    if (rows.length === 0 || offset + rows.length >= total) return;
    offset += Math.max(1, rows.length - 1);
  }
}
