package debian

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strings"
)

var (
	cve        = regexp.MustCompile(`\bCVE-(?:19|20)\d{2}-\d{4,7}\b`)
	changeHead = regexp.MustCompile(`^(\S+) \(([^()\s]+)\)((?:\s+[-+0-9a-z.]+)+);`)
	advisory   = regexp.MustCompile(`\b(?:DSA|DLA|ELA|USN)-\d{2,6}(?:-\d{1,3})?\b`)
)

// Fix is a vulnerability that a version of a source package closed, as its changelog tells.
type Fix struct {
	CVE, Source, Version string
	Advisory             string
}

// ReadFixes finds the vulnerabilities that were closed after one version up to another. The
// entries of a changelog stand newest first. A vulnerability that is named twice counts for
// the oldest of these versions, which is the one that closed it. An entry's version is
// the source's, so that of rebuilt packages (+b1) must be cut off before.
func ReadFixes(changelog io.Reader, after, upTo string) ([]Fix, error) {
	scanner := bufio.NewScanner(changelog)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	found := map[string]Fix{}
	var source, version, dsa string
	reading := false
	for scanner.Scan() {
		line := scanner.Text()
		if m := changeHead.FindStringSubmatch(line); m != nil {
			source, version, dsa = m[1], m[2], ""
			reading = Compare(version, after) > 0 && Compare(version, upTo) <= 0
			if Compare(version, after) <= 0 {
				break
			}
			continue
		}
		if !reading {
			continue
		}
		if a := advisory.FindString(line); a != "" {
			dsa = a
		}
		for _, id := range cve.FindAllString(line, -1) {
			found[id] = Fix{CVE: id, Source: source, Version: version, Advisory: dsa}
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	fixes := make([]Fix, 0, len(found))
	for _, f := range found {
		fixes = append(fixes, f)
	}
	slices.SortFunc(fixes, func(a, b Fix) int { return strings.Compare(a.CVE, b.CVE) })
	return fixes, nil
}

var rebuilt = regexp.MustCompile(`\+b\d+$`)

// SourceVersion cuts the mark of a rebuild without changes.
func SourceVersion(version string) string { return rebuilt.ReplaceAllString(version, "") }
