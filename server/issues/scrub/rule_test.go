package scrub

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
		rules          []Rule
	}{
		{"remove a key", `{"extra":{"iban":"DE02","a":1}}`, `{"extra":{"a":1}}`, []Rule{{Key, "iban", Remove}}},
		{"mask a key", `{"extra":{"iban":"DE02"}}`, `{"extra":{"iban":"[Filtered]"}}`, []Rule{{Key, "iban", Mask}}},
		{"mask is what is meant when nothing is said", `{"extra":{"iban":"DE02"}}`, `{"extra":{"iban":"[Filtered]"}}`, []Rule{{Key, "iban", ""}}},
		{"hash a key", `{"extra":{"iban":"DE02"}}`, `{"extra":{"iban":"HASH"}}`, []Rule{{Key, "iban", Hash}}},
		{"hash what is no text", `{"extra":{"iban":{"a":[1]}}}`, `{"extra":{"iban":"HASH"}}`, []Rule{{Key, "iban", Hash}}},
		{"own rules win", `{"extra":{"password":"hush"}}`, `{"extra":{"password":"HASH"}}`, []Rule{{Key, "password", Hash}}},
		{"the first rule wins", `{"extra":{"iban":"DE02"}}`, `{"extra":{}}`, []Rule{{Key, "iban", Remove}, {Key, "iban", Hash}}},
		{"remove of a pair", `{"tags":[{"key":"nick","value":"x"}]}`, `{"tags":[{"key":"nick","value":""}]}`, []Rule{{Key, "nick", Remove}}},
		{"hash by place", `{"user":{"email":"a@b.c","id":"1"}}`, `{"user":{"email":"HASH","id":"1"}}`, []Rule{{Place, "user.email", Hash}}},
		{"remove a context", `{"contexts":{"shop":{"a":1}}}`, `{"contexts":{"shop":{}}}`, []Rule{{Key, "shop", Remove}}},
		{"mask a context", `{"contexts":{"shop":{"a":1}}}`, `{"contexts":{"shop":{"value":"[Filtered]"}}}`, []Rule{{Key, "shop", Mask}}},
		{"hash a context", `{"contexts":{"shop":{"a":1}}}`, `{"contexts":{"shop":{"value":"HASH"}}}`, []Rule{{Key, "shop", Hash}}},
		{"mask a pattern", `{"extra":{"a":"see T-12, T-34"}}`, `{"extra":{"a":"see [Filtered], [Filtered]"}}`, []Rule{{Pattern, `T-\d+`, Mask}}},
		{"remove a pattern", `{"extra":{"a":"see T-12, ok"}}`, `{"extra":{"a":"see , ok"}}`, []Rule{{Pattern, `T-\d+`, Remove}}},
		{"what is left is looked at again", `{"extra":{"a":"aabb cd"}}`, `{"extra":{"a":" cd"}}`, []Rule{{Pattern, `ab`, Remove}}},
		{"hash a pattern", `{"extra":{"a":"see T-12"}}`, `{"extra":{"a":"see HASH"}}`, []Rule{{Pattern, `T-\d+`, Hash}}},
		{"hashes are not hashed", `{"extra":{"a":"id 12345678"}}`, `{"extra":{"a":"id HASH"}}`, []Rule{{Pattern, `[0-9a-f]{8,}`, Hash}}},
		{"what is filtered is not filtered", `{"extra":{"a":"Filtered by hand"}}`, `{"extra":{"a":"[Filtered] by hand"}}`, []Rule{{Pattern, `Filtered`, Mask}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := scrubber(t, Rules{Own: c.rules, Salt: "salt"})
			var m map[string]any
			if err := json.Unmarshal([]byte(c.in), &m); err != nil {
				t.Fatal(err)
			}
			changed := s.Event(m)
			got, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			text := leftover.ReplaceAllStringFunc(string(got), func(found string) string {
				if found == Filtered {
					return found
				}
				return "HASH"
			})
			if text != c.want || len(changed) != 1 {
				t.Errorf("%s, want %s: %v", got, c.want, changed)
			}
			if again := s.Event(m); len(again) != 0 {
				t.Errorf("again: %v", again)
			}
		})
	}
}

func TestHashesAreTheProjects(t *testing.T) {
	t.Parallel()
	a, b := scrubber(t, Rules{Salt: "a", IP: HashIP}), scrubber(t, Rules{Salt: "b"})
	if a.Hashed("x") != a.Hashed("x") || a.Hashed("x") == a.Hashed("y") || a.Hashed("x") == b.Hashed("x") || !isLeftover(a.Hashed("x")) {
		t.Error(a.Hashed("x"), b.Hashed("x"))
	}
	if !strings.HasPrefix(a.HashedAddress("203.0.113.9"), "ip-") || a.HashedAddress("") != "" || b.HashedAddress("203.0.113.9") != "" {
		t.Error(a.HashedAddress("203.0.113.9"))
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	s := scrubber(t, Rules{IP: TruncateIP})
	for in, want := range map[string]string{
		"203.0.113.9": "203.0.113.0", "203.0.113.0": "203.0.113.0", "::ffff:203.0.113.9": "203.0.113.0", "2001:db8:1:2::3": "2001:db8:1::", "[2001:db8:1:2::3]:443": "2001:db8:1::",
		"203.0.113.9, 198.51.100.7:80": "203.0.113.0, 198.51.100.0", "unknown": Filtered, "fe80::1%eth0": "fe80::", "": "", "{{auto}}": "{{auto}}",
	} {
		got := s.Address(in)
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		if again := s.Address(got); again != got {
			t.Errorf("%s again: %s", got, again)
		}
	}
}
