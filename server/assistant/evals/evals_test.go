package evals

import "testing"

func TestShippedCasesAreRead(t *testing.T) {
	t.Parallel()
	list, err := Shipped()
	if err != nil || len(list) < 30 {
		t.Fatalf("%d cases, %v", len(list), err)
	}
}
