package edge

import "testing"

func FuzzSpan(f *testing.F) {
	for _, seed := range []string{"bytes=0-0", "bytes=-5", "bytes=9-", "bytes=5-2", "bytes=,", "lines=1-2", "bytes=9223372036854775807-", "bytes=-9223372036854775808"} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		from, length, partial, err := span(header, size)
		if err != nil {
			return
		}
		if from < 0 || length < 0 || from+length > size || partial && length == 0 || !partial && length != size {
			t.Errorf("%q of %d: %d and %d, %v", header, size, from, length, partial)
		}
	})
}
