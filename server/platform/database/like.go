package database

import "strings"

var likeSpecials = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Containing is the pattern of `LOWER(x) LIKE ? ESCAPE '\'` for values that hold a text
// in whatever case.
func Containing(text string) string { return "%" + likeSpecials.Replace(strings.ToLower(text)) + "%" }
