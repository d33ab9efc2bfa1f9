package blobs

// OwnedQuery lists team, SHA-256 and size of every blob that a row owns: what a backup
// must hold. The others are on their way in or out.
const OwnedQuery = `SELECT c.team_id, c.sha256, c.size FROM blobs_contents c WHERE EXISTS
	(SELECT 1 FROM blobs_owners o WHERE o.team_id = c.team_id AND o.sha256 = c.sha256) ORDER BY c.team_id, c.sha256`

// Key is where a Backend keeps a blob.
func Key(team int64, sha string) string { return key(team, sha) }
