package slack

import (
	"net/url"
	"regexp"
	"strings"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Escape makes text mean only itself: it pings nobody, and links nowhere.
func Escape(text string) string { return escaper.Replace(text) }

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// Link is a link with a label, as mrkdwn.
func Link(label, address string) string {
	return "<" + strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(address) + "|" +
		strings.NewReplacer("|", "¦", "\n", " ").Replace(Escape(label)) + ">"
}

// markdownToken finds what of Markdown answers use: links and images, bold, addresses, escaped characters.
var markdownToken = regexp.MustCompile("(!?)\\[((?:\\\\.|[^\\]\\\\])*)\\]\\(([^)\\s]*)[^)]*\\)|\\*\\*((?:\\\\.|[^*\\\\])+)\\*\\*|(https?://[^\\s<>()|`\"']+)|\\\\([\\\\\\[\\]`*_|{}()#+.!-])|`([^`\n]+)`")

// Mrkdwn turns the Markdown of an answer into Slack's. Links lead only where
// allowed says; others become text, so that nobody is led elsewhere by what some
// issue or log line held. Images are never shown.
func Mrkdwn(markdown string, allowed func(host string) bool) string {
	lines := strings.Split(markdown, "\n")
	code := false
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(trimmed)]
		switch {
		case strings.HasPrefix(trimmed, "```"):
			code = !code
			lines[i] = "```"
		case code:
			lines[i] = Escape(line)
		case strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "* "):
			lines[i] = indent + "• " + inline(trimmed[2:], allowed)
		case strings.HasPrefix(trimmed, "#") && strings.HasPrefix(strings.TrimLeft(trimmed, "#"), " "):
			lines[i] = "*" + strings.Trim(inline(strings.TrimSpace(strings.TrimLeft(trimmed, "#")), allowed), "*") + "*"
		default:
			lines[i] = indent + inline(trimmed, allowed)
		}
	}
	if code {
		lines = append(lines, "```")
	}
	return strings.Join(lines, "\n")
}

func inline(line string, allowed func(string) bool) string {
	var b strings.Builder
	last := 0
	for _, at := range markdownToken.FindAllStringSubmatchIndex(line, -1) {
		b.WriteString(text(line[last:at[0]]))
		last = at[1]
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return line[at[2*n]:at[2*n+1]]
		}
		switch {
		case at[4] >= 0:
			label, address := unslash(group(2)), group(3)
			if group(1) == "" && goes(address, allowed) {
				b.WriteString(Link(label, address))
			} else {
				b.WriteString(Escape(label))
			}
		case group(4) != "":
			b.WriteString("*" + inline(group(4), allowed) + "*")
		case group(5) != "":
			address := strings.TrimRight(group(5), ".,;:!?")
			if goes(address, allowed) {
				b.WriteString(Link(address, address))
			} else {
				b.WriteString("`" + Escape(address) + "`")
			}
			b.WriteString(text(group(5)[len(address):]))
		case group(6) != "":
			b.WriteString(Escape(group(6)))
		default:
			b.WriteString("`" + Escape(unescaper.Replace(group(7))) + "`")
		}
	}
	b.WriteString(text(line[last:]))
	return b.String()
}

// text escapes what may already hold entities, once.
func text(s string) string { return Escape(unescaper.Replace(s)) }

func unslash(label string) string {
	return unescaper.Replace(regexp.MustCompile(`\\(.)`).ReplaceAllString(label, "$1"))
}

func goes(address string, allowed func(string) bool) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && u.Hostname() != "" && allowed(strings.ToLower(u.Host))
}

var angle = regexp.MustCompile(`<([@#!]?)([^>|]*)(?:\|([^>]*))?>`)

// Words is what somebody typed, as plain text: without the mention of the bot, links as their label or address.
func Words(typed, bot string) string {
	out := angle.ReplaceAllStringFunc(typed, func(whole string) string {
		m := angle.FindStringSubmatch(whole)
		switch {
		case m[1] == "@" && m[2] == bot:
			return " "
		case m[3] != "" && m[1] != "":
			return strings.TrimLeft(m[1], "!") + m[3]
		case m[3] != "":
			return m[3]
		case m[1] == "!":
			return m[2]
		}
		return m[1] + m[2]
	})
	return strings.Join(strings.Fields(unescaper.Replace(out)), " ")
}
