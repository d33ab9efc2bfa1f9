package apply

import (
	"testing"

	"github.com/signalbox/signalbox/agents/agenttest"
)

func TestMain(m *testing.M) { agenttest.Main(m) }
