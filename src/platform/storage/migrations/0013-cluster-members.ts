/**
 * The nodes of the cluster that this server is in, itself among them: public keys and addresses, nothing secret. `record`
 * is JSON; `last_seen_ms` counts from the Unix epoch by this server's clock, and is null for one never heard of.
 */
export const sql = `
CREATE TABLE cluster_member (
  cluster_id TEXT NOT NULL,
  id TEXT NOT NULL,
  record TEXT NOT NULL,
  last_seen_ms INTEGER,
  PRIMARY KEY (cluster_id, id)
) STRICT;
`;
