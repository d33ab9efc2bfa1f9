package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/config"
)

// wireCluster makes this server's view of the others on its database.
func (a *App) wireCluster(context.Context) error {
	name, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find this machine's name: %w", err)
	}
	place, err := blobPlace(a.config)
	if err != nil {
		return err
	}
	a.cluster = cluster.New(cluster.Deps{
		DB: a.db, Now: now, Log: a.log, Box: a.box,
		Self:    cluster.Member{Node: a.node, Name: name, Address: nodeURL(a.config, a.main.net.Addr()), Version: Version, Blobs: place},
		Waiting: func() int64 { return a.issues.Waiting() },
	})
	return nil
}

// lead seeks the leadership of the loops of which there is to be one.
func (a *App) lead(ctx context.Context) error {
	if err := a.cluster.Join(ctx); err != nil {
		return err
	}
	leadership := a.db.Lead(ctx, "loops")
	a.loops.LedBy(leadership)
	a.resign = leadership.Stop
	return nil
}

// nodeURL is where other servers reach this one. On one machine that is where it
// listens; otherwise the address from which this machine speaks with PostgreSQL.
func nodeURL(cfg config.Config, listening net.Addr) string {
	if cfg.Server.NodeURL != "" {
		return strings.TrimSuffix(cfg.Server.NodeURL, "/")
	}
	scheme := "http://"
	if cfg.Server.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return scheme + net.JoinHostPort(host, port)
	}
	database, err := url.Parse(cfg.Database.URL)
	if err != nil || database.Hostname() == "" {
		return ""
	}
	// UDP only looks up the way and sends nothing.
	way, err := net.Dial("udp", net.JoinHostPort(database.Hostname(), "5432"))
	if err != nil {
		return ""
	}
	defer way.Close()
	if host, _, err = net.SplitHostPort(way.LocalAddr().String()); err != nil {
		return ""
	}
	return scheme + net.JoinHostPort(host, port)
}

// blobPlace names where blobs lie, the same for all servers that share the place: a
// bucket by its address, a folder by a file in it.
func blobPlace(cfg config.Config) (string, error) {
	b := cfg.Blobs
	if b.S3Endpoint != "" {
		return "s3 " + b.S3Endpoint + "/" + b.S3Bucket, nil
	}
	folder := blobFolder(cfg)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the folder for blobs: %w", err)
	}
	path := filepath.Join(folder, ".place")
	// Whoever comes first to a shared folder names it; the others read that.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(rand.Text())
		if closed := f.Close(); err == nil {
			err = closed
		}
	} else if os.IsExist(err) {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("name the folder for blobs: %w", err)
	}
	raw, err := os.ReadFile(path)
	return "disk " + string(raw), err
}

func blobFolder(cfg config.Config) string {
	if cfg.Blobs.Folder != "" {
		return cfg.Blobs.Folder
	}
	return filepath.Join(cfg.DataDir, "blobs")
}
