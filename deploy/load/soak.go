package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// every is how often a soak looks; looking costs little beside the load.
	every = 15 * time.Second
	// probe is how long each try lasts that finds out what this machine takes.
	probe = 20 * time.Second
	// most is where the search for the machine's limit ends.
	most = 16
)

// capacity doubles the rates until something does not hold, says what held last, and
// adds what was acknowledged meanwhile.
func capacity(ctx context.Context, k k6, kept map[string]float64) (float64, error) {
	held := 0.0
	for scale := 0.5; scale <= most; scale *= 2 {
		rows, err := k.run(ctx, "together", scale, probe, true)
		if err != nil {
			return 0, err
		}
		var broken []string
		for _, r := range rows {
			kept[r.name] += r.kept
			if !r.held {
				broken = append(broken, r.name+" ("+strings.Join(r.broken, "; ")+")")
			}
		}
		fmt.Printf("%s, rates × %g: %s\n", machine(), scale, cmp.Or(strings.Join(broken, ", "), "held"))
		if len(broken) > 0 {
			break
		}
		held = scale
	}
	if held == 0 {
		return 0, errors.New("this machine does not take half of the usual rates")
	}
	return held, nil
}

// soak runs everything together at half of what the machine takes and judges what the server uses meanwhile.
func soak(ctx context.Context, s settings, k k6, p *server, w *world) error {
	kept := map[string]float64{}
	if s.scale == 0 {
		can, err := capacity(ctx, k, kept)
		if err != nil {
			return err
		}
		s.scale = can / 2
	}
	var report bytes.Buffer
	out := io.MultiWriter(os.Stdout, &report)
	fmt.Fprintf(out, "%s: all scripts together for %s at rates × %g\n", machine(), s.lasts, s.scale)
	looking, stop := context.WithCancel(ctx)
	defer stop()
	samples := make(chan []sample, 1)
	go func() { samples <- watch(looking, p, w) }()
	rows, err := k.run(ctx, "together", s.scale, s.lasts, true)
	stop()
	taken := <-samples
	if err != nil {
		return err
	}
	var bad []string
	fmt.Fprintln(out, tableHead)
	for _, r := range rows {
		fmt.Fprintln(out, r)
		kept[r.name] += r.kept
		if !r.held {
			bad = append(bad, r.name+"'s thresholds did not hold")
		}
	}
	fmt.Fprintf(out, "\n%d samples in %s\n%s\n", len(taken), s.lasts, verdictHead)
	for _, v := range judge(taken) {
		fmt.Fprintln(out, v)
		if v.grows {
			bad = append(bad, v.name+" grew")
		}
	}
	fmt.Fprintln(out, machine())
	if err := w.compare(ctx, kept); err != nil {
		bad = append(bad, err.Error())
	}
	if s.report != "" {
		if err := os.WriteFile(s.report, append(report.Bytes(), table(taken)...), 0o644); err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "; "))
	}
	return nil
}

// table is every sample, to be drawn or looked at.
func table(samples []sample) []byte {
	var b bytes.Buffer
	b.WriteString("\nseconds")
	for _, w := range everything {
		fmt.Fprintf(&b, "\t%s", w.name)
	}
	for _, s := range samples {
		fmt.Fprintf(&b, "\n%.0f", s.at.Seconds())
		for _, w := range everything {
			fmt.Fprintf(&b, "\t%.0f", s.values[w.name])
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// watch looks at the server until told to stop. A look that fails is left out, and said.
func watch(ctx context.Context, p *server, w *world) (out []sample) {
	began := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		values, err := look(ctx, p, w)
		if err == nil {
			out = append(out, sample{time.Since(began), values})
			if len(out)%20 == 0 {
				fmt.Printf("%s, after %s: %.0f MB, heap %.0f MB, %.0f goroutines, %.0f jobs, %.0f KB of events, %.0f builds open\n", machine(), time.Since(began).Round(time.Second),
					values["memory"], values["heap"], values["goroutines"], values["jobs waiting"]+values["jobs running"], values["events waiting"], values["builds open"])
			}
		} else if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "load: a look at the server failed:", err)
		}
		select {
		case <-ctx.Done():
			return out
		case <-tick.C:
		}
	}
}

func look(ctx context.Context, p *server, w *world) (map[string]float64, error) {
	const mb = 1 << 20
	m, err := p.metrics(ctx)
	if err != nil {
		return nil, err
	}
	v := map[string]float64{"heap": m["go_memstats_heap_inuse_bytes"] / mb, "goroutines": m["go_goroutines"],
		"jobs waiting": m[`signalbox_work_jobs{state="waiting"}`], "jobs running": m[`signalbox_work_jobs{state="running"}`], "jobs dead": m[`signalbox_work_jobs{state="dead"}`]}
	pid := "/proc/" + strconv.Itoa(p.cmd.Process.Pid)
	if v["memory"], v["threads"], err = ofStatus(pid + "/status"); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(pid + "/fd")
	if err != nil {
		return nil, err
	}
	v["open files"] = float64(len(files))
	if _, v["events waiting"], err = w.ingest(ctx); err != nil {
		return nil, err
	}
	v["events waiting"] /= 1024
	var waiting struct{ Items []struct{ ID string } }
	if err := p.call(ctx, "GET", "/api/v1/ci/deliveries?limit=200&state=waiting&verdict=accepted&team="+team, nil, &waiting); err != nil {
		return nil, err
	}
	v["deliveries waiting"] = float64(len(waiting.Items))
	if v["builds open"], err = w.open(ctx); err != nil {
		return nil, err
	}
	v["spool"] = (size(p.data, "spool") + size(p.data, "issues", "spool")) / mb
	v["log lines"], v["disk"] = size(p.data, "logs")/mb, size(p.data)/mb
	for _, end := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(p.data, "signalbox.db"+end)); err == nil {
			v["database"] += float64(info.Size()) / mb
		}
	}
	v["on a processor"], v["waiting for one"] = scheduled(pid)
	if fields := strings.Fields(machine()); len(fields) > 3 {
		v["machine load"], err = strconv.ParseFloat(fields[3], 64)
	}
	return v, err
}

// scheduled is for how long the process's threads, taken together, have run and have
// waited until they could, in seconds; 0 where the kernel does not count it.
func scheduled(pid string) (ran, waited float64) {
	threads, err := filepath.Glob(pid + "/task/*/schedstat")
	if err != nil {
		return 0, 0
	}
	for _, path := range threads {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		var run, wait float64
		if _, err := fmt.Sscan(string(raw), &run, &wait); err == nil {
			ran, waited = ran+run/1e9, waited+wait/1e9
		}
	}
	return ran, waited
}

// open counts builds that have not ended.
func (w *world) open(ctx context.Context) (n float64, err error) {
	var page struct{ Items []struct{ Status string } }
	err = w.server.call(ctx, "GET", fmt.Sprintf("/api/v1/ci/jobs/%d/builds?limit=200", w.job), nil, &page)
	for _, b := range page.Items {
		if b.Status == "pending" || b.Status == "started" {
			n++
		}
	}
	return n, err
}

// ofStatus reads the resident memory in MB and the threads of a process.
func ofStatus(path string) (memory, threads float64, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, bad := strconv.ParseFloat(fields[1], 64)
		switch {
		case fields[0] == "VmRSS:" && bad == nil:
			memory = n / 1024
		case fields[0] == "Threads:" && bad == nil:
			threads = n
		}
	}
	return memory, threads, nil
}

// size is what the files below a folder hold; those that go meanwhile count nothing.
func size(parts ...string) (n float64) {
	filepath.WalkDir(filepath.Join(parts...), func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += float64(info.Size())
		}
		return nil
	})
	return n
}
