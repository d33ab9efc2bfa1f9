package ci

import "fmt"

// badgeWords and badgeColours are Concourse's.
var (
	badgeWords   = map[Status]string{Succeeded: "passing", Failed: "failing", Errored: "errored", Aborted: "aborted"}
	badgeColours = map[Status]string{Succeeded: "#44cc11", Failed: "#e05d44", Errored: "#fe7d37", Aborted: "#8f4b2d"}
)

// badge draws the status as an SVG of the usual size.
func badge(status Status, title string) []byte {
	word, ok := badgeWords[status]
	colour := badgeColours[status]
	if !ok {
		word, colour = "unknown", "#9f9f9f"
	}
	if title == "" {
		title = "build"
	}
	left, right := 10+7*len([]rune(title)), 10+7*len(word)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s: %s">
<mask id="a"><rect width="%d" height="20" rx="3" fill="#fff"/></mask>
<g mask="url(#a)"><path fill="#555" d="M0 0h%dv20H0z"/><path fill="%s" d="M%d 0h%dv20H%dz"/></g>
<g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,Geneva,sans-serif" font-size="11">
<text x="%d" y="14">%s</text><text x="%d" y="14">%s</text></g>
</svg>
`, left+right, escapeXML(title), word, left+right, left, colour, left, right, left, left/2, escapeXML(title), left+right/2, word)
}
