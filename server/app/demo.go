package app

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/accounts"
)

//go:embed demo
var demoFiles embed.FS

const demoTeam = "acme"

func (c *cli) demoCommand() *cobra.Command {
	var address string
	machines := demoFleetSize
	cmd := &cobra.Command{
		Use: "demo", Short: "Serve with a sample team, its repository, a pipeline that builds for real, errors and a simulated fleet", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := c.load()
			if err != nil {
				return err
			}
			if address != "" {
				cfg.Server.Listen = address
			}
			if cfg.Edge.CheckInSeconds == usualCheckIns {
				cfg.Edge.CheckInSeconds = demoCheckIns
			}
			repositories := filepath.Join(cfg.DataDir, "repositories")
			cfg.CI.LocalRepositories = append(cfg.CI.LocalRepositories, repositories)
			slack, err := openDemoSlack(cmd.Context(), repositories)
			if err != nil {
				return err
			}
			defer slack.close()
			cfg.Outbound.Allow = append(cfg.Outbound.Allow, slack.address)
			cfg.Assistant.SlackURL = slack.api()
			return c.serve(cmd.Context(), cfg, log, func(ctx context.Context, a *App) error {
				d := &demo{app: a, folder: repositories, out: c.out, machines: machines, told: make(chan struct{})}
				if err := d.prepare(ctx); err != nil {
					return err
				}
				d.story = newStory(d, slack)
				d.story.routes()
				go d.play(ctx)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "listen", "", "address to listen on, instead of server.listen")
	cmd.Flags().IntVar(&machines, "machines", machines, "how many machines to simulate, from 120 on, when the demo is first started")
	return cmd
}

// demo fills a server with a sample team through the same API that people use.
type demo struct {
	app    *App
	folder string
	out    io.Writer
	token  string
	hook   demoHook
	story  *story
	// machines is how many the fleet has.
	machines int
	// told is closed once the past of the fleet is told, which sets the fleet's clock back.
	told chan struct{}
}

// demoHook is where GitHub would post to.
type demoHook struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

func (d *demo) bare() string { return filepath.Join(d.folder, "shop.git") }
func (d *demo) work() string { return filepath.Join(d.folder, "shop") }

// prepare makes the repository and a token; the server does not answer yet.
func (d *demo) prepare(ctx context.Context) (err error) {
	_, d.token, err = accounts.TokenCreate(ctx, d.app.accounts, d.app.config.Admin.User, accounts.NewToken{Name: "demo", Scopes: []string{"*"}, Days: 30})
	if err != nil {
		return err
	}
	if _, err := os.Stat(d.bare()); err == nil {
		return nil // from an earlier start
	}
	files, err := fs.Sub(demoFiles, "demo/shop")
	if err != nil {
		return err
	}
	if err := os.CopyFS(d.work(), files); err != nil {
		return fmt.Errorf("write the sample repository: %w", err)
	}
	for _, step := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "shop: open"},
		{"clone", "-q", "--bare", ".", d.bare()}, {"remote", "add", "origin", d.bare()},
	} {
		if _, err := d.git(ctx, step...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) git(ctx context.Context, args ...string) (string, error) {
	return gitAs(ctx, "Ann", d.work(), args...)
}

// gitAs runs git in a folder in somebody's name.
func gitAs(ctx context.Context, who, folder string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=" + who, "-c", "user.email=" + strings.ToLower(who) + "@example.com", "-C", folder}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// play sets the pipeline, then pushes: a good commit, one that breaks a test, and its fix.
func (d *demo) play(ctx context.Context) {
	if err := d.perform(ctx); err != nil && ctx.Err() == nil {
		d.app.log.Error("the demo stopped", "error", err)
	}
}

func (d *demo) perform(ctx context.Context) error {
	if err := d.await(ctx); err != nil {
		return err
	}
	if err := d.call(ctx, "POST", "/api/v1/accounts/teams", map[string]any{"name": demoTeam}, nil); err != nil && !errors.Is(err, errExists) {
		return err
	} else if errors.Is(err, errExists) {
		go d.story.live(ctx)
		d.keepFleet(ctx) // from an earlier start: everything is there
		return nil
	}
	go d.story.live(ctx)
	go d.keepFleet(ctx)
	raw, err := demoFiles.ReadFile("demo/pipeline.yml")
	if err != nil {
		return err
	}
	yaml := strings.ReplaceAll(string(raw), "REPOSITORY", "file://"+d.bare())
	var set struct {
		Pipeline struct{ ID int64 } `json:"pipeline"`
	}
	if err := d.call(ctx, "PUT", "/api/v1/ci/pipelines/config", map[string]any{"team": demoTeam, "name": "shop", "yaml": yaml}, &set); err != nil {
		return err
	}
	if err := d.call(ctx, "POST", "/api/v1/ci/hooks", map[string]any{"team": demoTeam, "name": "acme/shop"}, &d.hook); err != nil {
		return err
	}
	if err := d.call(ctx, "POST", fmt.Sprintf("/api/v1/ci/pipelines/%d/unpause", set.Pipeline.ID), nil, nil); err != nil {
		return err
	}
	if err := d.playErrors(ctx); err != nil {
		return err
	}
	if err := d.playLogs(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  The sample repository is %s: commit there, push, and watch %s/teams/%s/pipelines/shop\n  Its errors are at %s/teams/%s/issues, its log lines at %s/teams/%s/logs, its fleet at %s/teams/%s/edge\n\n",
		d.work(), d.app.PublicURL(), demoTeam, d.app.PublicURL(), demoTeam, d.app.PublicURL(), demoTeam, d.app.PublicURL(), demoTeam)
	for _, c := range []struct{ message, totals string }{
		{"totals: round half even", "333 334 333\n"}, {"totals: cheaper delivery", "333 333 333\n"}, {"totals: charge delivery again", "333 333 334\n"},
	} {
		if err := sleep(ctx, 12*time.Second); err != nil {
			return err
		}
		if err := d.push(ctx, c.message, c.totals); err != nil {
			return err
		}
	}
	return d.playPulls(ctx)
}

// push commits to the sample repository and says so as GitHub would.
func (d *demo) push(ctx context.Context, message, totals string) error {
	before, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.work(), "totals.txt"), []byte(totals), 0o600); err != nil {
		return err
	}
	for _, step := range [][]string{{"commit", "-q", "-am", message}, {"push", "-q", "origin", "main"}} {
		if _, err := d.git(ctx, step...); err != nil {
			return err
		}
	}
	after, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	return d.deliver(ctx, "push", d.pushed(before, after, message))
}

// await returns once the server answers.
func (d *demo) await(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.app.URL()+"/readyz", nil)
		if err != nil {
			return err
		}
		if send(req, nil) == nil {
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

var errExists = errors.New("exists already")

func (d *demo) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.app.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if in == nil {
		req.Body = http.NoBody
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	return send(req, out)
}

func send(req *http.Request, out any) error {
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusConflict:
		return errExists
	case answer.StatusCode >= 300:
		return fmt.Errorf("%s %s: %d %s", req.Method, req.URL.Path, answer.StatusCode, raw)
	case out == nil:
		return nil
	}
	return json.Unmarshal(raw, out)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
