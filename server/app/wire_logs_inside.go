package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/logs"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/work"
)

// ownTeam owns the server's own lines.
const ownTeam = "main"

// ownLog has what the server logs kept among the lines too, once there is a store.
func (a *App) ownLog(log *slog.Logger) *slog.Logger {
	if !a.config.Logs.Own {
		return log
	}
	a.own = logs.NewOwnLog(log.Handler())
	return slog.New(a.own)
}

// startLogsInside opens the port for gRPC and begins to keep the server's own lines.
func (a *App) startLogsInside(ctx context.Context) error {
	if address := a.config.Logs.OTLPGRPCListen; address != "" {
		secure, err := a.certificate()
		if err != nil {
			return err
		}
		port, err := a.logs.ListenOTLP(ctx, address, secure)
		if err != nil {
			return err
		}
		a.stops = append(a.stops, func() { port.Close(ctx) })
	}
	a.keepOwnLog(ctx)
	return nil
}

// certificate is what the one HTTP port shows; nil when a proxy in front speaks TLS.
func (a *App) certificate() (*tls.Config, error) {
	server := a.config.Server
	if server.TLSCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(server.TLSCert, server.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("read server.tls_cert and server.tls_key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func (a *App) keepOwnLog(ctx context.Context) {
	if a.own == nil {
		return
	}
	team, err := a.teamID(ctx, ownTeam)
	if err != nil {
		a.own.Discard()
		a.log.Info("the server's own log is not kept among the lines: there is no team "+ownTeam, "error", err)
		return
	}
	a.stopOwn = a.logs.KeepOwn(ctx, a.own, team)
}

// wireLogsInside has what builds say kept as lines.
func (a *App) wireLogsInside(context.Context) error {
	if !a.config.Logs.Builds {
		return nil
	}
	a.ci.Output = ci.OutputListener{
		Heard: func(ctx context.Context, of ci.Output) (ci.OutputPlace, error) {
			n, at, err := a.logs.BuildPlace(ctx, buildLines(of))
			return ci.OutputPlace{N: n, Time: at}, err
		},
		Tell: func(ctx context.Context, said ci.Output) error { return a.logs.KeepBuildLines(ctx, buildLines(said)) },
	}
	return nil
}

// endLevels are how a build's last line is shown.
var endLevels = map[ci.Status]record.Level{ci.Succeeded: record.Info, ci.Failed: record.Error, ci.Errored: record.Error, ci.Aborted: record.Warn}

func buildLines(said ci.Output) logs.BuildLines {
	out := logs.BuildLines{Team: said.Team, Build: said.Build, Number: said.Number, Pipeline: said.Pipeline, Job: said.Job, From: said.StartedAt}
	for _, line := range said.Lines {
		out.Lines = append(out.Lines, logs.BuildLine{N: line.N, Time: line.Time, Step: line.Step, Kind: line.Kind, Output: line.Source, Text: line.Text, Level: endLevels[line.Status]})
	}
	return out
}

// insideLoops makes lines of what nodes report and of what webhooks brought.
func (a *App) insideLoops() []work.Loop {
	loops := []work.Loop{a.logs.NodeLoop(a.nodeReports)}
	if !a.config.Logs.Deliveries {
		return loops
	}
	return append(loops, a.logs.DeliveryLoop(func(ctx context.Context, before int64, limit int) ([]logs.Delivery, error) {
		list, err := a.github.Recent(ctx, before, limit)
		out := make([]logs.Delivery, len(list))
		for i, d := range list {
			out[i] = logs.Delivery{Seq: d.Seq, Team: d.Team, ID: d.ID, GUID: d.GUID, Event: d.Event, Action: d.Action, Repository: d.Repository, Sender: d.Sender,
				Verdict: string(d.Verdict), State: string(d.State), Error: d.Error, At: time.UnixMilli(int64(d.ReceivedAt)).UTC(), Size: d.Size, DigestMS: d.DigestMS, Attempts: d.Attempts,
				Settled: d.State != github.Waiting, Refused: d.Verdict == github.Refused, Failed: d.State == github.Failed}
		}
		return out, err
	}))
}

func (a *App) nodeReports(ctx context.Context, after int64, from, to time.Time, limit int) ([]logs.NodeReport, error) {
	list, err := a.edge.Heard(ctx, after, from, to, limit)
	out := make([]logs.NodeReport, len(list))
	for i, h := range list {
		out[i] = logs.NodeReport{ID: h.ID, Team: h.Team, At: time.UnixMilli(int64(h.ReceivedAt)).UTC(), Node: h.Node, Name: h.Name, Site: h.Site, Kind: string(h.Kind), State: string(h.State),
			Message: h.Message, Rollout: h.Rollout, Bundle: h.Bundle, Actor: h.Actor, Output: h.Log, Exit: -1}
		if h.Exit != nil {
			out[i].Exit = int64(*h.Exit)
		}
	}
	return out, err
}
