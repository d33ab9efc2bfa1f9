package catalog

import "testing"

func TestRuns(t *testing.T) {
	t.Parallel()
	const sha = "4f2a91c0de4f2a91c0de4f2a91c0de4f2a91c0de"
	for _, tt := range []struct {
		installed, release string
		want               bool
	}{
		{"2.4.1", "2.4.1", true},
		{"2.4.1-1", "shop@2.4.1", true},
		{"1:2.4.1-1ubuntu2", "shop@v2.4.1", true},
		{"2.4.1+build7-1", "2.4.1", true},
		{"2.4.1+build7-1", "2.4.1+build7", true},
		{"2.5.0~rc.1-1", "v2.5.0-rc.1", true},
		{"2.4.10-1", "2.4.1", false},
		{"2.4.1-1", "2.4", false},
		{"2.4.1", "", false},
		{"2.4.1", "shop@", false},
		{"0.0~git20261121.4f2a91c-1", sha, true},
		{"0.0~git20261121.4f2a91d-1", sha, false},
		{"20261121", sha, false},
		{"2.4.1-1", sha, false},
	} {
		if got := runs(tt.installed, tt.release); got != tt.want {
			t.Errorf("%s is %s: %v", tt.installed, tt.release, got)
		}
	}
}
