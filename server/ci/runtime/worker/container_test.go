package worker

import "testing"

func TestEcho(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.run(shell("echo hello; echo oops >&2; exit 3"))
	if got.out != "hello\n" || got.err != "oops\n" || got.Status != 3 || got.Reason != "" {
		t.Errorf("got %+v", got)
	}
}
