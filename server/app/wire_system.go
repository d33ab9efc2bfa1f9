package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/signalbox/signalbox/server/system"
)

func (a *App) wireSystem(ctx context.Context) (err error) {
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), jobGauge{ctx: context.WithoutCancel(ctx), app: a})
	metrics := promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})
	a.system = system.New(system.Deps{
		Log: a.log, Ready: a.ready.Load, DB: a.db, Loops: a.loops.Status, Jobs: a.jobs, Metrics: metrics, Audit: a.audit,
		Checks: []system.Check{
			system.DatabaseCheck(a.db, now), system.DiskCheck(a.config.DataDir), system.ClockCheck(a.db, a.config.DataDir, now),
			system.PublicURLCheck(a.config.Server.PublicURL, a.PublicURL()), system.IsolationCheck(a.isolation),
			system.JobsCheck(a.jobs), system.LoopsCheck(a.loops.Status), system.MemoryCheck(now(), now),
		},
	})
	if a.config.Server.MetricsListen != "" {
		a.metrics, err = listen(ctx, a.config.Server.MetricsListen, metrics, "", "")
	}
	return err
}

// isolation says how tasks are kept apart, or why they cannot be.
func (a *App) isolation(ctx context.Context) (string, error) {
	if err := a.worker.Ready(ctx); err != nil {
		return "", err
	}
	if why := a.worker.Network(); why != "" {
		return "Tasks run under " + a.worker.Engine() + ", without a network: " + why, nil
	}
	return "Tasks run under " + a.worker.Engine() + ", each with a network of its own.", nil
}

// jobGauge shows how many durable jobs are in each state, looked up when asked.
type jobGauge struct {
	ctx context.Context
	app *App
}

var jobsDesc = prometheus.NewDesc("signalbox_work_jobs", "Durable jobs by state.", []string{"state"}, nil)

// Describe implements prometheus.Collector.
func (jobGauge) Describe(out chan<- *prometheus.Desc) { out <- jobsDesc }

// Collect implements prometheus.Collector.
func (g jobGauge) Collect(out chan<- prometheus.Metric) {
	counts, err := g.app.jobs.Counts(g.ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(jobsDesc, err)
		return
	}
	for state, n := range counts {
		out <- prometheus.MustNewConstMetric(jobsDesc, prometheus.GaugeValue, float64(n), string(state))
	}
}
