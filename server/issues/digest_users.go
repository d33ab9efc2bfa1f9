package issues

import (
	"math"
	"slices"
)

// keptUsers is how many hashes of users an issue keeps: below it the count is
// exact, above it an estimate with a deviation of about three per cent.
const keptUsers = 1024

// slackUsers is how many more may come before the surplus is taken away, which reads them all.
const slackUsers = 128

// estimateUsers tells how many users there are, of whom the kept ones have the
// smallest hashes, all below limit: as dense as they lie, so many fill the whole range.
func estimateUsers(kept int64, below int64) int64 {
	if below == 0 {
		return kept
	}
	return int64(math.Round(float64(kept) / (float64(below) / float64(math.MaxInt64))))
}

// keepSmallest decides which hashes stay: the keptUsers smallest, and the bound
// below which all of them lie; 0 while there is room for all.
func keepSmallest(hashes []int64) (keep []int64, below int64) {
	if len(hashes) <= keptUsers {
		return hashes, 0
	}
	slices.Sort(hashes)
	return hashes[:keptUsers], hashes[keptUsers]
}
