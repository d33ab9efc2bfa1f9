package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/assistant"
	"github.com/signalbox/signalbox/server/assistant/evals"
	"github.com/signalbox/signalbox/server/platform/config"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	html, record, team string
	live, server       bool
	runs               int
	need               float64
}

// evalCommand holds the assistant against cases.
func (c *cli) evalCommand() *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use: "eval [FILE…]", Short: "Hold the assistant against cases: those of the files, or those that come with it",
		RunE: func(cmd *cobra.Command, args []string) error {
			cases, err := evals.Shipped()
			if len(args) > 0 {
				cases, err = evals.Load(args...)
			}
			if err != nil {
				return errUsage{err}
			}
			return c.eval(cmd.Context(), cases, o)
		},
	}
	cmd.Flags().StringVar(&o.html, "html", "", "write a report with the traces to this file")
	cmd.Flags().BoolVar(&o.live, "live", false, "ask the configured language model (assistant.model_provider) the cases that have no cassette")
	cmd.Flags().StringVar(&o.record, "record", "", "with --live, write what the model said as a cassette to this file")
	cmd.Flags().IntVar(&o.runs, "runs", 1, "how often a live model is asked the same")
	cmd.Flags().Float64Var(&o.need, "need", 100, "the part of questions that must pass, in per cent")
	cmd.Flags().BoolVar(&o.server, "server", false, "ask SIGNALBOX_URL with SIGNALBOX_TOKEN instead of the world of acme; cases with faults or cassettes are left out")
	cmd.Flags().StringVar(&o.team, "team", "main", "with --server, the team whose assistant answers")
	return cmd
}

func (c *cli) eval(ctx context.Context, cases []evals.Case, o evalOptions) error {
	options := evals.Options{Runs: o.runs, Now: now}
	room, end, err := c.evalRoom(ctx, o)
	if err != nil {
		return err
	}
	defer end()
	if o.server {
		cases = evals.WithoutWorld(cases)
	}
	var recorder *evals.Recorder
	if o.live {
		model, err := c.configuredModel()
		if err != nil {
			return err
		}
		recorder = &evals.Recorder{Model: model}
		options.Live = recorder
	}
	results, err := evals.Run(ctx, cases, room, options)
	if err != nil {
		return err
	}
	if o.html != "" {
		if err := writeFile(o.html, evals.Report(results, now())); err != nil {
			return err
		}
	}
	if recorder != nil && o.record != "" {
		raw, err := evals.WriteCassette(recorder.Cassette())
		if err != nil {
			return err
		}
		if err := writeFile(o.record, raw); err != nil {
			return err
		}
	}
	return c.tellEval(results, o.need)
}

func writeFile(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }

// evalRoom is where cases are asked, and how it is left.
func (c *cli) evalRoom(ctx context.Context, o evalOptions) (evals.Room, func(), error) {
	if o.server {
		url, token := config.Client()
		if url == "" || token == "" {
			return nil, nil, errUsage{errors.New("--server needs SIGNALBOX_URL and SIGNALBOX_TOKEN")}
		}
		return atServer(strings.TrimRight(url, "/"), token, o.team), func() {}, nil
	}
	_, log, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "signalbox-eval-")
	if err != nil {
		return nil, nil, err
	}
	e, err := newExamination(ctx, folder, log)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	return e.room, func() {
		e.db.Close()
		os.RemoveAll(folder)
	}, nil
}

// configuredModel is the one that the server would ask.
func (c *cli) configuredModel() (assistant.Model, error) {
	cfg, _, err := c.load()
	if err != nil {
		return nil, err
	}
	a := cfg.Assistant
	if a.ModelProvider == "" {
		return nil, errUsage{errors.New("--live needs a model: set assistant.model_provider and assistant.model_name")}
	}
	return assistant.NewModel(assistant.ModelConfig{Provider: a.ModelProvider, Model: a.ModelName, URL: a.ModelURL, Key: a.ModelKey, Region: a.ModelRegion, Secret: a.ModelSecret, HTTP: &http.Client{Timeout: time.Minute}})
}

// tellEval says how each case fared; it fails when too few did well.
func (c *cli) tellEval(results []evals.Result, need float64) error {
	passed := 0
	for _, r := range results {
		if r.Passed() {
			passed++
			continue
		}
		fmt.Fprintf(c.out, "FAILED %s: %q\n", r.Case, r.Asked)
		for _, f := range r.Findings {
			fmt.Fprintf(c.out, "  %s: %s\n", f.Pattern, plain(f.Text))
		}
	}
	fmt.Fprintf(c.out, "%d of %d questions passed\n", passed, len(results))
	if len(results) == 0 {
		return errUsage{errors.New("no case could be asked")}
	}
	if float64(passed)*100 < need*float64(len(results)) {
		return fmt.Errorf("%d of %d questions failed", len(results)-passed, len(results))
	}
	return nil
}
