package secrets

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
)

// staleValues are those of a column that do not begin with a stamp. Table and columns are
// names in this program's code, never input.
func staleValues(ctx context.Context, db *database.DB, c Column, stamp []byte) (list []sealedValue, err error) {
	rows, err := db.Reader(ctx).Raw("SELECT "+strings.Join(c.Keys, ", ")+", "+c.Name+" FROM "+c.Table+
		" WHERE "+c.Name+" IS NOT NULL AND substr("+c.Name+", 1, ?) <> ?", len(stamp), stamp).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v := sealedValue{keys: make([]any, len(c.Keys))}
		into := make([]any, len(c.Keys)+1)
		for i := range v.keys {
			into[i] = &v.keys[i]
		}
		into[len(c.Keys)] = &v.sealed
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// replaceValue leaves alone what somebody changed meanwhile: that has the newest key already.
func replaceValue(ctx context.Context, db *database.DB, c Column, v sealedValue, sealed []byte) (int, error) {
	args := append([]any{sealed}, v.keys...)
	r := db.Writer(ctx).Exec("UPDATE "+c.Table+" SET "+c.Name+" = ? WHERE "+strings.Join(c.Keys, " = ? AND ")+" = ? AND "+c.Name+" = ?",
		append(args, v.sealed)...)
	return int(r.RowsAffected), r.Error
}
