package app_test

import (
	"slices"
	"testing"
)

// TestCapabilitiesAreWhatIsWired: the rail shows what the server answers.
func TestCapabilitiesAreWhatIsWired(t *testing.T) {
	t.Parallel()
	a := start(t)
	var me struct{ Capabilities []string }
	a.call(t, "GET", "/api/v1/accounts/me", nil, &me)
	if !slices.Contains(me.Capabilities, "ci") || !slices.Contains(me.Capabilities, "issues") || slices.Contains(me.Capabilities, "system") {
		t.Errorf("%v", me.Capabilities)
	}
}
