package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/database"
)

// Column is one place in the schema that holds sealed values. Whoever seals declares
// where, so that a new key reaches all of it.
type Column struct {
	Table, Name string
	// Keys are the columns that tell its rows apart, and Row makes of their values what a
	// value is bound to.
	Keys []string
	Row  func(keys []string) string
	// SealedFor is the table that values were sealed for before they were copied here as
	// they were; empty for the table itself.
	SealedFor string
}

// ByKey is the Row of a value that is bound to its only key.
func ByKey(keys []string) string { return keys[0] }

// sealedValue is one value of a column, with the keys of its row as the database has them.
type sealedValue struct {
	keys   []any
	sealed []byte
}

func (c Column) table() string {
	if c.SealedFor != "" {
		return c.SealedFor
	}
	return c.Table
}

func (c Column) row(v sealedValue) string {
	keys := make([]string, len(v.keys))
	for i, k := range v.keys {
		keys[i] = fmt.Sprint(k)
	}
	return c.Row(keys)
}

// batch is how many values one transaction seals anew: others write in between.
const batch = 100

// Reseal seals with the newest key whatever an older one has sealed, in every column, and
// returns how many values that were. A value that does not open stays as it is and is
// told of in the error; the others are done all the same.
func Reseal(ctx context.Context, db *database.DB, box *Box, columns []Column) (int, error) {
	count := 0
	var failed []error
	for _, c := range columns {
		stale, err := staleValues(ctx, db, c, box.stamp())
		if err != nil {
			return count, fmt.Errorf("read %s.%s: %w", c.Table, c.Name, err)
		}
		for len(stale) > 0 {
			part := stale[:min(batch, len(stale))]
			stale = stale[len(part):]
			n, err := resealPart(ctx, db, box, c, part)
			count += n
			failed = append(failed, err)
		}
	}
	return count, errors.Join(failed...)
}

func resealPart(ctx context.Context, db *database.DB, box *Box, c Column, part []sealedValue) (count int, err error) {
	var failed []error
	err = db.Tx(ctx, func(ctx context.Context) error {
		count, failed = 0, nil
		for _, v := range part {
			row := c.row(v)
			plain, err := box.Open(c.table(), row, v.sealed)
			if err != nil {
				failed = append(failed, fmt.Errorf("row %s: %w", row, err))
				continue
			}
			replaced, err := replaceValue(ctx, db, c, v, box.Seal(c.table(), row, plain))
			if err != nil {
				return fmt.Errorf("write %s.%s: %w", c.Table, c.Name, err)
			}
			count += replaced
		}
		return nil
	})
	return count, errors.Join(err, errors.Join(failed...))
}

// Unreadable counts the values that the key file has no key for; more than none means that
// a wrong or new key file lies beside this database.
func Unreadable(ctx context.Context, db *database.DB, box *Box, columns []Column) (int, error) {
	count := 0
	for _, c := range columns {
		stale, err := staleValues(ctx, db, c, box.stamp())
		if err != nil {
			return count, fmt.Errorf("read %s.%s: %w", c.Table, c.Name, err)
		}
		for _, v := range stale {
			if !box.Knows(v.sealed) {
				count++
			}
		}
	}
	return count, nil
}

// stamp is how every value begins that the newest key has sealed.
func (b *Box) stamp() []byte {
	newest := b.ring.Load().newest
	return append([]byte{version}, newest[:]...)
}

// Current reports whether sealed was made with the newest key; others want resealing.
func (b *Box) Current(sealed []byte) bool { return bytes.HasPrefix(sealed, b.stamp()) }
