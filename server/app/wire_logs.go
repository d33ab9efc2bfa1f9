package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs"
	"github.com/signalbox/signalbox/server/logs/store"
)

func (a *App) wireLogs(ctx context.Context) error {
	cfg := a.config.Logs
	const mib = 1 << 20
	memory := int64(cfg.MemoryMB) * mib
	if memory == 0 {
		memory = min(availableMemory()/4, 1024*mib)
	}
	kept := store.Retention{Age: time.Duration(cfg.RetentionDays) * 24 * time.Hour, Bytes: int64(cfg.RetentionMB) * mib}
	most := func(int64) store.Retention { return kept }
	// The store outlives the request to stop: it is closed after the intake.
	lines, err := store.Open(context.WithoutCancel(ctx), store.Options{
		Dir: filepath.Join(a.config.DataDir, "logs"), First: a.firstLine(), Memory: memory, Now: now, Log: a.log, MinFree: int64(cfg.MinFreeMB) * mib,
		// The store asks for the first time when the service is there.
		Retention: func(team int64) store.Retention { return a.logs.RetentionOf(team) },
	})
	if err != nil {
		return err
	}
	a.logStore = lines
	a.logs = logs.New(logs.Deps{
		DB: a.db, Store: lines, Cluster: a.cluster, Now: now, Log: a.log, NewID: randomID, PublicURL: a.PublicURL, Identify: a.accounts.VerifyToken, Audit: a.audit, Publish: a.hub.Publish,
		TeamName: a.teamName, AlertTeller: logChannels{a.notify}, Retention: most, MaxBody: int64(cfg.MaxRequestMB) * mib, MaxDecoded: int64(cfg.MaxDecodedMB) * mib,
	})
	return errors.Join(a.logs.RegisterTools(a.tools), a.logs.RegisterAlertTools(a.tools))
}

// firstLine begins the numbers of this server's lines: where there may be several
// servers each has a range, of a trillion.
func (a *App) firstLine() uint64 {
	if !a.cluster.Several() {
		return 1
	}
	sum := sha256.Sum256([]byte(a.node))
	return uint64(binary.BigEndian.Uint32(sum[:4])>>9) << 40
}

// listenLogs opens the ports for shippers that do not speak HTTP.
func (a *App) listenLogs(ctx context.Context) error {
	cfg := a.config.Logs
	in := logs.Listening{Syslog: cfg.SyslogListen, SyslogTLS: cfg.SyslogTLSListen, Fluent: cfg.FluentListen, FluentKey: cfg.FluentSharedKey}
	var err error
	if in.Syslog != "" || in.SyslogTLS != "" {
		if in.SyslogTeam, err = a.teamID(ctx, cfg.SyslogTeam); err != nil {
			return fmt.Errorf("logs.syslog_team: %w", err)
		}
	}
	if in.Fluent != "" {
		if in.FluentTeam, err = a.teamID(ctx, cfg.FluentTeam); err != nil {
			return fmt.Errorf("logs.fluent_team: %w", err)
		}
	}
	if in.SyslogTLS != "" {
		pair, err := tls.LoadX509KeyPair(a.config.Server.TLSCert, a.config.Server.TLSKey)
		if err != nil {
			return fmt.Errorf("logs.syslog_tls_listen needs server.tls_cert and server.tls_key: %w", err)
		}
		in.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	open, err := a.logs.Listen(ctx, in)
	if err != nil {
		return err
	}
	a.stops = append(a.stops, open.Close, func() { a.logs.Stop(ctx) })
	return nil
}

// availableMemory is what the machine has, or its cgroup if that is less; 1 GiB
// if neither says.
func availableMemory() int64 {
	const unknown = 1 << 30
	least := int64(0)
	take := func(n int64) {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
				n, _ := strconv.ParseInt(f[1], 10, 64) // 0 is passed over
				take(n << 10)
			}
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if raw, err := os.ReadFile(path); err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64) // "max" is no limit
			take(n)
		}
	}
	if least == 0 {
		return unknown
	}
	return least
}
