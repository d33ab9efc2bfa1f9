package grouping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParameterise(t *testing.T) {
	t.Parallel()
	cases := [][2]string{
		{"", ""},
		{"plain words stay", "plain words stay"},
		{"order 12 failed", "order <n> failed"},
		{"order #12: 3.5% of -7", "order #<n>: <n> of <n>"},
		{"user42 in item_7", "user<n> in item_<n>"},
		{"id=42&name=bob", "id=<n>&name=bob"},
		{"job 7a3c1f9e-0c1d-4a7e-9b0a-2f8c1d3e4f50 died", "job <uuid> died"},
		{"sha 3f2a1b9c8d7e6f50 missing", "sha <hex> missing"},
		{"at 0xDEADBEEF", "at <hex>"},
		{"from 203.0.113.9:443 refused", "from <ip> refused"},
		{"from 10.0.0.0/8", "from <ip>"},
		{"from 2001:db8::1 refused", "from <ip> refused"},
		{"mail to bob@example.org bounced", "mail to <email> bounced"},
		{"mailto:bob@example.org", "mailto:<email>"},
		{"GET https://x.org/a/1?b=2 gave 500", "GET <url> gave <n>"},
		{"GET /users/42/orders", "GET /users/<n>/orders"},
		{"on 2026-11-20 at 15:33:55.123", "on <time> at <time>"},
		{"at 2026-11-20T15:33:55Z", "at <time>"},
		{"took 12ms, not 1.5s or 1m30s", "took <amount>, not <amount> or <amount>"},
		{"used 512MB", "used <amount>"},
		{"key 'bob' not in \"cart\"", "key <text> not in <text>"},
		{"can't and won't stay", "can't and won't stay"},
		{"unterminated 'quote", "unterminated 'quote"},
		{"no attribute `total`", "no attribute <text>"},
		{"token eyJhbGciOiJIUzI1NiIsInR5cCI6 bad", "token <token> bad"},
		{"Error: utf8 codec", "Error: utf<n> codec"},
		{"  many   spaces ", "many spaces"},
		{"ends with 5.", "ends with <n>."},
		{"(12) [13] {14}", "(<n>) [<n>] {<n>}"},
		{"prix: 12€ für Jürgen", "prix: <n>€ für Jürgen"},
		{"a.b.c stays", "a.b.c stays"},
		{"v1.2.3 of pkg@1.2.3", "v<n>.<n>.<n> of <email>"},
	}
	for _, c := range cases {
		if got := Parameterise(c[0]); got != c[1] {
			t.Errorf("%q\n got %q\nwant %q", c[0], got, c[1])
		}
	}
}

func FuzzParameterise(f *testing.F) {
	f.Add("order 12 'x' a@b.c 1.2.3.4:5 =:=/?")
	f.Add(strings.Repeat("a=", 2000))
	f.Fuzz(func(t *testing.T, s string) {
		got := Parameterise(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q gives broken text %q", s, got)
		}
	})
}

func TestCleanFunction(t *testing.T) {
	t.Parallel()
	cases := [][3]string{
		{"javascript", "Object.<anonymous>", ""},
		{"javascript", "async Cart.total [as sum]", "total"},
		{"javascript", "new Cart", "Cart"},
		{"javascript", "?", ""},
		{"node", "ModuleLoader.import", "import"},
		{"go", "main.func4", "main"},
		{"go", "(*Handler).HandleFunc.(*Handler).handle.func6.1", "(*Handler).HandleFunc.(*Handler).handle"},
		{"go", "Map[go.shape.int].Get", "Map.Get"},
		{"ruby", "block (2 levels) in total", "total"},
		{"ruby", "_app_views_cart_html_erb__123456_789", "_app_views_cart_html_erb__#_#"},
		{"java", "lambda$total$3", "lambda$total$#"},
		{"csharp", "<Total>b__12_0", "<Total>b__#_#"},
		{"native", "std::vector<int, std::allocator<int> >::at(unsigned long)", "std::vector::at"},
		{"native", "-[Cart total:]", "-[Cart total:]"},
		{"rust", "shop::pay::h0123456789abcdef", "shop::pay"},
		{"python", "<lambda>", "<lambda>"},
		{"php", "{closure}", ""},
	}
	for _, c := range cases {
		if got := cleanFunction(c[1], c[0]); got != c[2] {
			t.Errorf("%s %q: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
