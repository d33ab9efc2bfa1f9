package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// backupGauge shows how old the newest backup is, looked up when asked.
type backupGauge struct {
	ctx context.Context
	app *App
}

var (
	backupStateDesc = prometheus.NewDesc("signalbox_backup_state_timestamp_seconds", "The instant whose state the newest whole backup holds; 0 while there is none.", nil, nil)
	backupSizeDesc  = prometheus.NewDesc("signalbox_backup_bytes", "Size of the newest whole backup.", nil, nil)
	backupFailDesc  = prometheus.NewDesc("signalbox_backup_failed", "1 when the last attempt at a backup failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (backupGauge) Describe(out chan<- *prometheus.Desc) {
	out <- backupStateDesc
	out <- backupSizeDesc
	out <- backupFailDesc
}

// Collect implements prometheus.Collector.
func (g backupGauge) Collect(out chan<- prometheus.Metric) {
	newest, failed, err := g.app.backups.Newest(g.ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(backupStateDesc, err)
		return
	}
	at := 0.0
	if !newest.At.IsZero() {
		at = float64(newest.At.Unix())
	}
	bad := 0.0
	if failed {
		bad = 1
	}
	out <- prometheus.MustNewConstMetric(backupStateDesc, prometheus.GaugeValue, at)
	out <- prometheus.MustNewConstMetric(backupSizeDesc, prometheus.GaugeValue, float64(newest.Archive))
	out <- prometheus.MustNewConstMetric(backupFailDesc, prometheus.GaugeValue, bad)
}
