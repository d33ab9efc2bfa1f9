package resource

import "testing"

// BenchmarkMockCheck is what one of many checks a minute costs without a container.
func BenchmarkMockCheck(b *testing.B) {
	typ, _ := NewNatives(Options{}).Native("mock")
	req := newRequest(nil, nil, nil)
	for b.Loop() {
		if _, err := typ.Check(b.Context(), req.Request); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGitCheck is a check that finds nothing new: one container, one ls-remote.
func BenchmarkGitCheck(b *testing.B) {
	bench := newGitBench(b)
	head := bench.remote.commit("x", "one")
	source := bench.source()
	for b.Loop() {
		if got := bench.check(source, Version{"ref": head}); got != "ref="+head {
			b.Fatal(got)
		}
	}
}
