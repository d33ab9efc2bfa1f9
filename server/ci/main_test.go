package ci

import (
	"os"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime/worker"
)

// The test binary is the worker's supervisor too, as the server's own program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.SupervisorCommand {
		os.Exit(worker.SupervisorMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}
