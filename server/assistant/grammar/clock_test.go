package grammar

import (
	"strings"
	"testing"
)

func TestTimesOfDay(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"What happened between 10:00 and 11:30?":           "happening, from Fri 17 Apr 10:00 to Fri 17 Apr 11:30 Europe/London",
		"what happened from 9am to 10am":                   "happening, from Fri 17 Apr 09:00 to Fri 17 Apr 10:00 Europe/London",
		"What happened between 14:00 and 15:00?":           "happening, from Thu 16 Apr 14:00 to Thu 16 Apr 15:00 Europe/London", // it is 13:00
		"What happened between 14:00 and 15:00 yesterday?": "happening, from Thu 16 Apr 14:00 to Thu 16 Apr 15:00 Europe/London",
		"what was going on between 23:00 and 1:00":         "happening, from Thu 16 Apr 23:00 to Fri 17 Apr 01:00 Europe/London",
		"What happened to payments since 12:15?":           "happening, payments, since Fri 17 Apr 12:15 Europe/London",
		"what has happened since noon":                     "happening, since Fri 17 Apr 12:00 Europe/London",
		"what happened today":                              "happening, today since Fri 17 Apr 00:00 Europe/London",
		"What happened?":                                   "happening",
		"What happened with the last web build?":           "latest build, web",
		"which builds failed between 10:00 and 11:00":      "build, failed, from Fri 17 Apr 10:00 to Fri 17 Apr 11:00 Europe/London",
		"what changed between v1.4.1 and v1.4.2":           "compare release, v1.4.1 to v1.4.2",
		"what happened between 25:00 and 26:00":            "happening | 25:00 26:00",
	} {
		read := Parse(question, noon(t), names)
		got := read.String()
		if len(read.Left) > 0 {
			got += " | " + strings.Join(read.Left, " ")
		}
		if got != want {
			t.Errorf("%s\n is read as %q\n   instead of %q", question, got, want)
		}
	}
}
