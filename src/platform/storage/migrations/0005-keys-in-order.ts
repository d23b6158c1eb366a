/** Keys in the order of their making, page by page. */
export const sql = `
CREATE INDEX api_key_in_order ON api_key (created_at, id);
`;
