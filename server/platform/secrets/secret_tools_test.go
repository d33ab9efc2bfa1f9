package secrets

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

func TestToolShowsNamesOnly(t *testing.T) {
	t.Parallel()
	r := tools.NewRegistry()
	if err := (&Store{}).RegisterTools(r); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Call(identity.With(t.Context(), identity.Caller{}), "ci_secret_names", json.RawMessage(`{"team":"main"}`)); err == nil || strings.Contains(err.Error(), "panic") {
		t.Errorf("a stranger hears %v", err)
	}
}
