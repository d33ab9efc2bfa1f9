package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/signalbox/signalbox/server/system"
)

func (a *App) wireSystem(ctx context.Context) (err error) {
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), jobGauge{ctx: context.WithoutCancel(ctx), app: a}, backupGauge{ctx: context.WithoutCancel(ctx), app: a})
	metrics := promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})
	a.system = system.New(system.Deps{
		Log: a.log, Ready: a.ready.Load, DB: a.db, Loops: a.loops.Status, Jobs: a.jobs, Metrics: metrics, Audit: a.audit, Backups: a.backups, Queue: a.jobs, Cluster: a.cluster,
		Checks: append(a.installation().checks(checkable{publicURL: a.PublicURL(), dial: a.guard.DialContext, isolation: a.isolation, backups: a.backups, jobs: a.jobs}),
			system.ServersCheck(a.cluster.Members, a.loops.Status), system.LoopsCheck(a.loops.Status), system.MemoryCheck(now(), now)),
	})
	if a.config.Server.MetricsListen != "" {
		a.metrics, err = listen(ctx, a.config.Server.MetricsListen, metrics, "", "")
	}
	return err
}

// isolation says how tasks are kept apart, or why they cannot be.
func (a *App) isolation(ctx context.Context) (string, error) { return isolationOf(ctx, a.worker) }

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
