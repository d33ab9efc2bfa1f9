package app

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// edgeGauge shows monitoring the fleets, looked up when asked.
type edgeGauge struct {
	ctx context.Context
	app *App
}

var (
	edgeNodes    = prometheus.NewDesc("signalbox_edge_nodes", "Nodes by what people decided about them.", []string{"team", "state"}, nil)
	edgeAgents   = prometheus.NewDesc("signalbox_edge_agents", "Accepted nodes that are there, by what their agents are at.", []string{"team", "state"}, nil)
	edgeOffline  = prometheus.NewDesc("signalbox_edge_nodes_offline", "Accepted nodes that missed three check-ins, which is normal.", []string{"team"}, nil)
	edgeLost     = prometheus.NewDesc("signalbox_edge_nodes_lost", "Accepted nodes that were not heard of for a day.", []string{"team"}, nil)
	edgeRollouts = prometheus.NewDesc("signalbox_edge_rollouts", "Rollouts by state.", []string{"team", "state"}, nil)
	edgeMembers  = prometheus.NewDesc("signalbox_edge_rollout_nodes", "Nodes of rollouts that are not over, by state.", []string{"team", "policy", "rollout", "state"}, nil)
	edgeCheckIns = prometheus.NewDesc("signalbox_edge_checkins_total", "Check-ins that this server answered.", nil, nil)
	edgeReports  = prometheus.NewDesc("signalbox_edge_reports_total", "Reports of nodes that this server kept.", nil, nil)
	edgeRefused  = prometheus.NewDesc("signalbox_edge_refused_total", "Requests of nodes that were refused: badly signed, used twice, or of a revoked node.", nil, nil)
	edgeBytes    = prometheus.NewDesc("signalbox_edge_blob_bytes_total", "Bytes of bundles that nodes fetched from this server.", nil, nil)
)

// Describe implements prometheus.Collector.
func (edgeGauge) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{edgeNodes, edgeAgents, edgeOffline, edgeLost, edgeRollouts, edgeMembers, edgeCheckIns, edgeReports, edgeRefused, edgeBytes} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g edgeGauge) Collect(out chan<- prometheus.Metric) {
	c := &g.app.edge.Counters
	for desc, n := range map[*prometheus.Desc]int64{edgeCheckIns: c.CheckIns.Load(), edgeReports: c.Reports.Load(), edgeRefused: c.Refused.Load(), edgeBytes: c.Bytes.Load()} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	stats, err := g.app.edge.Stats(g.ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(edgeNodes, err)
		return
	}
	type series struct {
		desc   *prometheus.Desc
		labels [2]string
	}
	sums := map[series]int64{}
	for _, n := range stats.Nodes {
		sums[series{edgeNodes, [2]string{n.Team, string(n.State)}}] += n.N
		if n.State != "accepted" {
			continue
		}
		away, lost := int64(0), int64(0)
		if n.Offline {
			away = n.N
		} else {
			sums[series{edgeAgents, [2]string{n.Team, string(n.AgentState)}}] += n.N
		}
		if n.Lost {
			lost = n.N
		}
		sums[series{edgeOffline, [2]string{n.Team}}] += away
		sums[series{edgeLost, [2]string{n.Team}}] += lost
	}
	for at, n := range stats.States {
		sums[series{edgeRollouts, at}] = n
	}
	for s, n := range sums {
		labels := s.labels[:]
		if s.desc == edgeOffline || s.desc == edgeLost {
			labels = labels[:1]
		}
		out <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, float64(n), labels...)
	}
	for _, r := range stats.Rollouts {
		out <- prometheus.MustNewConstMetric(edgeMembers, prometheus.GaugeValue, float64(r.N), r.Team, r.Policy, strconv.FormatInt(r.Number, 10), string(r.State))
	}
}
