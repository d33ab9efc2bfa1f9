package catalog

import (
	"regexp"
	"strings"
)

var (
	epoch  = regexp.MustCompile(`^[0-9]+:`)
	hexRun = regexp.MustCompile(`[0-9a-f]{7,40}`)
	commit = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// runs tells whether a package's version is a release: 1:2.4.1-1ubuntu2 is shop@2.4.1, 2.5.0~rc.1-1 is
// v2.5.0-rc.1, and 0.0~git20261121.4f2a91c is the release that is named by that commit.
func runs(installed, release string) bool {
	if at := strings.LastIndexByte(release, '@'); at >= 0 {
		release = release[at+1:]
	}
	release = strings.ToLower(release)
	installed = strings.ToLower(epoch.ReplaceAllString(installed, ""))
	if commit.MatchString(release) {
		for _, run := range hexRun.FindAllString(installed, -1) {
			if strings.HasPrefix(release, run) && strings.Trim(run, "0123456789") != "" {
				return true
			}
		}
		return false
	}
	release = strings.TrimPrefix(release, "v")
	if release == "" {
		return false
	}
	forms := []string{installed}
	if at := strings.LastIndexByte(installed, '-'); at > 0 {
		forms = append(forms, installed[:at])
	}
	for _, form := range forms {
		form = strings.ReplaceAll(form, "~", "-")
		bare, _, _ := strings.Cut(form, "+")
		if form == release || bare == release {
			return true
		}
	}
	return false
}
