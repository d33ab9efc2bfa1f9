// Command load puts the k6 scripts of this folder on a fresh server of its own:
// one after another by default, or together for as long as is said, while it looks
// at the server's memory, queues and disk. It ends by itself, leaves nothing
// behind, and its exit code says whether everything held.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// settings are what the command line sets.
type settings struct {
	server, k6, scripts string
	scale, patience     float64
	lasts               time.Duration
	only                string
	soak                bool
	report              string
}

func main() {
	var s settings
	flag.StringVar(&s.server, "server", "bin/signalbox", "the server's program")
	flag.StringVar(&s.k6, "k6", "bin/k6", "k6's program")
	flag.StringVar(&s.scripts, "scripts", "deploy/load", "the folder with the scripts")
	flag.Float64Var(&s.scale, "scale", 1, "how many times the usual rates; of a soak 0: half of what this machine takes, which is found out first")
	flag.Float64Var(&s.patience, "patience", 1, "how many times the usual limits of the answers' times")
	flag.DurationVar(&s.lasts, "for", 20*time.Second, "how long each script runs, or the soak")
	flag.StringVar(&s.only, "only", "", "names of scripts, with commas; all when empty")
	flag.BoolVar(&s.soak, "soak", false, "run all scripts together and judge memory and queues")
	flag.StringVar(&s.report, "report", "", "a file for the soak's report, beside the output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	dir, err := os.MkdirTemp("", "signalbox-load-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := launch(ctx, s.server, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	w, err := prepare(ctx, p, dir)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer w.close()
	k := k6{settings: s, dir: dir, world: w.file}
	fmt.Println(machine())
	if s.soak {
		return soak(ctx, s, k, p, w)
	}
	return oneByOne(ctx, s, k, w)
}

// oneByOne runs the scripts after each other, then compares what was acknowledged with what is there.
func oneByOne(ctx context.Context, s settings, k k6, w *world) error {
	names := scripts
	if s.only != "" {
		names = strings.Split(s.only, ",")
	}
	kept, failed := map[string]float64{}, []string{}
	fmt.Println(tableHead)
	for _, name := range names {
		rows, err := k.run(ctx, name, s.scale, s.lasts, false)
		if err != nil {
			return err
		}
		for _, r := range rows {
			fmt.Println(r)
			kept[r.name] += r.kept
			if !r.held {
				failed = append(failed, r.name)
			}
		}
	}
	if err := w.compare(ctx, kept); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("thresholds did not hold: %s", strings.Join(failed, ", "))
	}
	fmt.Println(machine())
	return nil
}

// machine says how busy the machine is: figures mean little without it.
func machine() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load average unknown"
	}
	return time.Now().UTC().Format("15:04:05") + " load average " + strings.Join(strings.Fields(string(raw))[:3], " ")
}
