/**
 * Ids of requests that were made here begin with their time: such a row is found by it, and has no entry for its id in
 * `request_index`. Rows of before have one each.
 */
export const sql = `
ALTER TABLE request ADD COLUMN id_tells_time INTEGER NOT NULL DEFAULT 0;
`;
