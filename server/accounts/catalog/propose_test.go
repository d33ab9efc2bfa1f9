package catalog

import (
	"strings"
	"testing"
)

func TestPropose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		known Known
		have  []Service
		want  string
	}{
		"nothing":                       {want: ""},
		"one thing is no service":       {known: Known{Projects: []string{"shop"}}, want: ""},
		"same names":                    {known: Known{Repositories: []string{"acme/shop"}, Projects: []string{"shop"}, Logging: []string{"Shop"}}, want: "shop: repository acme/shop, project shop, lines with service:Shop"},
		"dashes and underscores":        {known: Known{Projects: []string{"pay-api"}, Logging: []string{"pay_api"}}, want: "pay-api: project pay-api, lines with service:pay_api"},
		"a pipeline and what it builds": {known: Known{Repositories: []string{"acme/shop"}, Pipelines: map[string][]string{"deliver": {"acme/shop"}}}, want: "deliver: repository acme/shop, pipeline deliver"},
		"two repositories say nothing":  {known: Known{Repositories: []string{"acme/a", "acme/b"}, Pipelines: map[string][]string{"all": {"acme/a", "acme/b"}}}, want: ""},
		"the pipeline of its own name": {known: Known{Repositories: []string{"acme/shop"}, Pipelines: map[string][]string{"deliver": {"acme/shop"}, "shop": {"acme/shop"}}},
			want: "shop: repository acme/shop, pipeline shop"},
		"a service has it":      {known: Known{Repositories: []string{"acme/shop"}, Projects: []string{"shop"}}, have: []Service{{Name: "store", Project: "shop"}}, want: ""},
		"a name that is quoted": {known: Known{Projects: []string{"pay"}, Logging: []string{"pay", "a b"}}, want: "pay: project pay, lines with service:pay"},
		"a name that cannot be": {known: Known{Projects: []string{"-x"}, Logging: []string{"-x"}}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range propose(tt.known, tt.have) {
				got = append(got, p.Name+": "+strings.Join(p.ties(), ", "))
			}
			if said := strings.Join(got, "; "); said != tt.want {
				t.Errorf("proposed %q\nwant     %q", said, tt.want)
			}
		})
	}
}
