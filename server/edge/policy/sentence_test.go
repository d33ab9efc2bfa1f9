package policy

import (
	"os"
	"strings"
	"testing"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, c := range []struct{ text, want string }{
		{read("article.yaml"), "Bundle 20241105-build-42 goes to nodes with region=us-east, role=edge-node, in batches of 100 nodes, 15 minutes apart, Tue 02:00-04:00 America/New_York. " +
			"It pauses when more than 5% of at least 20 nodes fail, or one ends with exit 3, 7. A node that is unhealthy after it goes back by itself."},
		{read("whole.yaml"), "Bundle 20241105-build-42 goes to nodes with region=us-east, role=edge-node, first to 20 canaries with 2 of each variant for 24h, then in batches of 100 nodes, 15 minutes apart, at most 1 at once per site, " +
			"Tue 02:00-04:00 America/New_York, until 2024-11-30T00:00:00Z. It pauses when more than 2% of at least 20 nodes fail, or 5 fail in a row, or one ends with exit 2, 3, 7. " +
			"A node that is unhealthy after it goes back by itself. 2 people must approve first."},
		{head + "  rolloutStrategy: {type: AllAtOnce, pauseOn: {failureRate: 100%, anyExit: []}}\n  rollback: {enabled: false}\n  approval: {required: 1}\n",
			"Bundle b1 goes to nodes with role=edge, to all at once, at any time. Nodes do not go back by themselves. 1 person must approve first."},
		{head + "  rolloutStrategy: {type: Canary, canary: {count: 1}}\n  schedule: {maintenanceWindow: 'daily 01:00-03:00', timezone: node}\n",
			"Bundle b1 goes to nodes with role=edge, first to 1 canary, then to all others at once, daily 01:00-03:00 by each node's own clock. It pauses when more than 5% of at least 20 nodes fail, or one ends with exit 3, 7."},
		{strings.Replace(head, "{selector: {matchLabels: {role: edge}}}", "{maxNodes: 5}", 1) + "  rolloutStrategy: {type: Manual, batchSize: 5%}\n",
			"Bundle b1 goes to every node, in batches of 5%, each when a person says so, at any time. It pauses when more than 5% of at least 20 nodes fail, or one ends with exit 3, 7."},
		{head + "  rolloutStrategy: {batchSize: 1}\n", "Bundle b1 goes to nodes with role=edge, in batches of 1 node, at any time. It pauses when more than 5% of at least 20 nodes fail, or one ends with exit 3, 7."},
	} {
		p, found := Parse([]byte(c.text))
		if got := p.Spec.Sentence(); found.Bad() || got != c.want {
			t.Errorf("%q, not\n%q (%v)", got, c.want, found)
		}
	}
}
