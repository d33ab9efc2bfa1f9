package accounts

// TeamAuth is Concourse's auth document: role, then "users" or "groups", then
// "connector:name".
type TeamAuth map[string]map[string][]string
