package worker

import (
	"strings"
	"testing"
)

func TestParseDiskLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want DiskLimit
		says string
	}{
		{"", DiskLimit{}, ""},
		{"  ", DiskLimit{}, ""},
		{"80%", DiskLimit{Percent: 80}, ""},
		{" 12.5 % ", DiskLimit{Percent: 12.5}, ""},
		{"100%", DiskLimit{Percent: 100}, ""},
		{"1073741824", DiskLimit{Bytes: 1 << 30}, ""},
		{"0%", DiskLimit{}, "not a share"},
		{"-5%", DiskLimit{}, "not a share"},
		{"100.1%", DiskLimit{}, "not a share"},
		{"NaN%", DiskLimit{}, "not a share"},
		{"Inf%", DiskLimit{}, "not a share"},
		{"%", DiskLimit{}, "not a share"},
		{"half%", DiskLimit{}, "not a share"},
		{"0", DiskLimit{}, "neither a number"},
		{"-1", DiskLimit{}, "neither a number"},
		{"10GB", DiskLimit{}, "neither a number"},
		{"1.5", DiskLimit{}, "neither a number"},
		{"99999999999999999999", DiskLimit{}, "neither a number"},
	} {
		got, err := ParseDiskLimit(c.text)
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %+v %v", c.text, got, err)
		}
	}
}

func TestDiskLimitOf(t *testing.T) {
	t.Parallel()
	const gb = 1 << 30
	for _, c := range []struct {
		limit      DiskLimit
		size, want int64
	}{
		{DiskLimit{}, 5 * gb, 5*gb - gb/2},
		{DiskLimit{}, 500 * gb, 499 * gb},
		{DiskLimit{}, 0, 0},
		{DiskLimit{Percent: 25}, 8 * gb, 2 * gb},
		{DiskLimit{Percent: 100}, 8 * gb, 8 * gb},
		{DiskLimit{Bytes: 3 * gb}, 8 * gb, 3 * gb},
		{DiskLimit{Bytes: 30 * gb}, 8 * gb, 8 * gb},
	} {
		if got := c.limit.of(c.size); got != c.want {
			t.Errorf("%+v of %d: %d, want %d", c.limit, c.size, got, c.want)
		}
	}
}
