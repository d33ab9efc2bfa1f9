package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	deliveryFile = "checkout/delivery.py"
	ordersFile   = "checkout/orders.py"
)

// storyCountries lose their price, one in each round.
var storyCountries = []string{"GB", "NO", "SE"}

var priceLine = regexp.MustCompile(`(?m)^    "([A-Z]{2})": (\d+),$`)

// commit changes files in the story's repository, pushes, and says so as GitHub would.
func (s *story) commit(ctx context.Context, who, message, version string, change func(delivery string) string) (string, error) {
	if err := s.write(deliveryFile, change); err != nil {
		return "", err
	}
	if err := s.write("VERSION", func(string) string { return version + "\n" }); err != nil {
		return "", err
	}
	machines := s.kept().Machines
	if machines == "" {
		machines = storyOldest
	}
	// What the machines have told: the bundle is built for that.
	known := regexp.MustCompile(`"version": "[^"]*"`)
	if err := s.write("fleet/machines.json", func(text string) string { return known.ReplaceAllString(text, `"version": "`+machines+`"`) }); err != nil {
		return "", err
	}
	before, err := gitAs(ctx, who, s.work(), "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	for _, step := range [][]string{{"commit", "-q", "-a", "-m", message}, {"push", "-q", "origin", "main"}} {
		if _, err := gitAs(ctx, who, s.work(), step...); err != nil {
			return "", err
		}
	}
	after, err := gitAs(ctx, who, s.work(), "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	payload := pushedBy(who, before, after, message, deliveryFile, "VERSION")
	payload["repository"] = map[string]any{"id": 2, "name": "checkout", "full_name": "acme/checkout", "owner": map[string]any{"login": "acme"}, "default_branch": "main",
		"clone_url": "file://" + s.bare(), "html_url": "https://github.com/acme/checkout", "pushed_at": now().Unix()}
	return after, s.post(ctx, s.kept().Hook, "push", payload)
}

func (s *story) write(name string, change func(string) string) error {
	path := filepath.Join(s.work(), name)
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(change(string(raw))), 0o644)
}

// breakIt begins a round: Bob takes over new prices and loses a country.
func (s *story) breakIt(ctx context.Context) error {
	round := s.kept().Round + 1
	country, version := storyCountries[(round-1)%len(storyCountries)], fmt.Sprintf("1.%d.0", round)
	began := now()
	sha, err := s.commit(ctx, "Bob", "delivery: take the parcel service's new prices", version, func(text string) string {
		return priceLine.ReplaceAllStringFunc(text, func(line string) string {
			m := priceLine.FindStringSubmatch(line)
			price, _ := strconv.Atoi(m[2]) // digits
			if m[1] == country {
				return "    # the new list has no " + country
			}
			return fmt.Sprintf("    %q: %d,", m[1], price+10)
		})
	})
	if err != nil {
		return err
	}
	s.awake(3 * time.Minute)
	return s.remember(func(m *storyMemory) {
		m.Round, m.Began, m.Country, m.Broken, m.BrokenVersion = round, began, country, sha, version
		m.Fix, m.FixVersion, m.Event, m.Trace, m.Rollout, m.SlackThread, m.SlackAsked = "", "", "", "", "", "", ""
	})
}

// mend has Ann give the country its price back.
func (s *story) mend(ctx context.Context) error {
	m, seen := s.kept(), s.look(ctx)
	version := fmt.Sprintf("1.%d.1", m.Round)
	sha, err := s.commit(ctx, "Ann", fmt.Sprintf("delivery: give %s its price back\n\nFixes %s", m.Country, seen.issue.ShortID), version, func(text string) string {
		return strings.Replace(text, "    # the new list has no "+m.Country, fmt.Sprintf("    %q: 1290,", m.Country), 1)
	})
	if err != nil {
		return err
	}
	s.awake(3 * time.Minute)
	return s.remember(func(m *storyMemory) { m.Fix, m.FixVersion = sha, version })
}

// keepShop is the web shop: it runs what the pipeline has deployed last.
func (s *story) keepShop(ctx context.Context) error {
	for {
		wait := 5 * time.Second
		if s.hurries() || s.kept().Running == "" {
			wait = 300 * time.Millisecond
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		sha, err := s.deployedNow(ctx)
		if err == nil && sha != "" && sha != s.kept().Running {
			err = s.takeOver(ctx, sha)
		}
		if err != nil && ctx.Err() == nil {
			s.app.log.Warn("the demo's web shop", "error", err)
		}
	}
}

// storyBuild is a build of the story's pipeline.
type storyBuild struct {
	ID            int64
	Name, Status  string
	Pipeline, Job struct{ Name string }
	commit        string
}

// builds are the pipeline's latest, the newest first, with the commits that they took.
func (s *story) builds(ctx context.Context) ([]storyBuild, error) {
	var page struct{ Items []storyBuild }
	if err := s.call(ctx, "GET", "/api/v1/ci/builds?limit=50&team="+demoTeam, nil, &page); err != nil {
		return nil, err
	}
	page.Items = slices.DeleteFunc(page.Items, func(b storyBuild) bool { return b.Pipeline.Name != storyPackage || b.Job.Name == "" })
	for i := range page.Items {
		b := &page.Items[i]
		s.mu.Lock()
		b.commit = s.deployed[b.ID]
		s.mu.Unlock()
		if b.commit != "" {
			continue
		}
		var whole struct {
			Inputs []struct{ Version map[string]string }
		}
		if err := s.call(ctx, "GET", fmt.Sprintf("/api/v1/ci/builds/%d", b.ID), nil, &whole); err != nil {
			return nil, err
		}
		if len(whole.Inputs) > 0 {
			b.commit = whole.Inputs[0].Version["ref"]
			s.mu.Lock()
			s.deployed[b.ID] = b.commit
			s.mu.Unlock()
		}
	}
	return page.Items, nil
}

func (s *story) deployedNow(ctx context.Context) (string, error) {
	list, err := s.builds(ctx)
	for _, b := range list {
		if b.Job.Name == "web-shop" && b.Status == "succeeded" {
			return b.commit, nil
		}
	}
	return "", err
}

// takeOver has the web shop run a commit: its release is told what is in it and that
// it is out, as sentry-cli does, and the first customers come.
func (s *story) takeOver(ctx context.Context, sha string) error {
	was := s.kept().Running
	if err := s.tellRelease(ctx, was, sha); err != nil {
		return err
	}
	version, err := s.file(ctx, sha, "VERSION")
	if err != nil {
		return err
	}
	if err := s.pushLines(ctx, []shopLine{{at: now(), level: "info", message: "checkout " + strings.TrimSpace(version) + " started", fields: map[string]any{"commit": sha}}}); err != nil {
		return err
	}
	if err := s.remember(func(m *storyMemory) { m.Running = sha }); err != nil {
		return err
	}
	if sha == s.kept().Broken {
		return nil // nobody has ordered yet: that is the next chapter
	}
	return s.customers(ctx)
}

func (s *story) tellRelease(ctx context.Context, before, sha string) error {
	span := sha
	if before != "" {
		span = before + ".." + sha
	}
	list, err := gitAs(ctx, "Ann", s.work(), "log", "--format=%H%x1f%an%x1f%ae%x1f%cI%x1f%B%x1e", span)
	if err != nil {
		return err
	}
	var commits []any
	for _, text := range strings.Split(list, "\x1e") {
		f := strings.Split(strings.TrimSpace(text), "\x1f")
		if len(f) < 5 {
			continue
		}
		files, err := gitAs(ctx, "Ann", s.work(), "show", "--name-status", "--format=", f[0])
		if err != nil {
			return err
		}
		var patch []any
		for _, line := range strings.Split(files, "\n") {
			if kind, name, ok := strings.Cut(line, "\t"); ok {
				patch = append(patch, map[string]any{"path": name, "type": kind})
			}
		}
		commits = append(commits, map[string]any{"id": f[0], "repository": "acme/checkout", "author_name": f[1], "author_email": f[2], "timestamp": f[3], "message": strings.TrimSpace(f[4]), "patch_set": patch})
	}
	one := "/api/0/organizations/" + demoTeam + "/releases/" + url.PathEscape(sha) + "/"
	if err := s.call(ctx, "PUT", one, map[string]any{"commits": commits, "dateReleased": now()}, nil); err != nil {
		return err
	}
	return s.call(ctx, "POST", one+"deploys/", map[string]any{"environment": "production", "name": "web shop"}, nil)
}

// file is one of the repository's at a commit.
func (s *story) file(ctx context.Context, sha, name string) (string, error) {
	return gitAs(ctx, "Ann", s.work(), "show", sha+":"+name)
}

// shopLine is a line of the web shop's log.
type shopLine struct {
	at             time.Time
	level, message string
	fields         map[string]any
}

// pushLines pushes lines as Grafana's agents do.
func (s *story) pushLines(ctx context.Context, lines []shopLine) error {
	var values [][2]string
	for _, l := range lines {
		line := map[string]any{"level": l.level, "msg": l.message}
		for key, value := range l.fields {
			line[key] = value
		}
		raw, err := json.Marshal(line)
		if err != nil {
			return err
		}
		values = append(values, [2]string{strconv.FormatInt(l.at.UnixNano(), 10), string(raw)})
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"service": storyPackage, "host": "web-1", "env": "production"}, "values": values}}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.app.URL()+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("X-Scope-OrgID", demoTeam)
	req.Header.Set("Content-Type", "application/json")
	return send(req, nil)
}
