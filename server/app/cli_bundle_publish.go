package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/ceremony"
	"github.com/signalbox/signalbox/server/platform/config"
)

// portal is the server as commands about bundles see it.
type portal struct{ logsClient }

func (p *portal) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.team, "team", "main", "the team whose fleet")
}

func (p *portal) connect(out io.Writer) error {
	p.url, p.token = config.Client()
	p.out = out
	if p.url == "" || p.token == "" {
		return errUsage{errors.New("set SIGNALBOX_URL to the server's address and SIGNALBOX_TOKEN to a token with edge:write (edge:read to export and for inventories)")}
	}
	p.url = strings.TrimRight(p.url, "/")
	return nil
}

func (p *portal) path(rest string, more ...string) string {
	q := url.Values{"team": {p.team}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/api/v1/edge/" + rest + "?" + q.Encode()
}

// get decodes an answer.
func (p *portal) get(ctx context.Context, path string, into any) error {
	answer, err := p.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return errors.Join(json.NewDecoder(answer.Body).Decode(into), answer.Body.Close())
}

func (c *cli) bundlePublishCommand() *cobra.Command {
	p := &portal{}
	var trust string
	cmd := &cobra.Command{
		Use: "publish [FILE.epb]…", Short: "Send signed bundles, or new roots and lists of a trust folder, to SIGNALBOX_URL with SIGNALBOX_TOKEN",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && trust == "" {
				return errUsage{errors.New("name a bundle, or with --trust a trust folder")}
			}
			if err := p.connect(c.out); err != nil {
				return err
			}
			if trust != "" {
				if err := p.offerTrust(cmd.Context(), trust); err != nil {
					return err
				}
			}
			for _, path := range args {
				if err := p.publish(cmd.Context(), path); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&trust, "trust", "", "trust folder whose roots and lists are sent first")
	return cmd
}

func (p *portal) offerTrust(ctx context.Context, dir string) error {
	folder, err := ceremony.Open(dir)
	if err != nil {
		return err
	}
	set := folder.Set()
	body, err := json.Marshal(map[string]any{"team": p.team, "roots": set.Roots, "snapshot": set.Snapshot, "targets": set.Targets})
	if err != nil {
		return err
	}
	answer, err := p.do(ctx, http.MethodPut, "/api/v1/edge/trust", bytes.NewReader(body), "Content-Type", "application/json")
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %d roots taken\n", dir, len(set.Roots))
	return answer.Body.Close()
}

// publish looks at the file first: an unsigned or broken one need not travel.
func (p *portal) publish(ctx context.Context, path string) error {
	b, err := bundle.Open(path)
	if err != nil {
		return err
	}
	signed, id := b.Signed(), b.Manifest.BundleID
	err = errors.Join(b.Verify(ctx), b.Close())
	if err == nil && !signed {
		err = errors.New("the bundle is not signed; run signalbox bundle sign first")
	}
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	answer, err := p.do(ctx, http.MethodPost, p.path("bundles"), f, "Content-Type", "application/octet-stream")
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is published: %s/teams/%s/edge/bundles/%s\n", id, p.url, p.team, id)
	return answer.Body.Close()
}

func (c *cli) bundleExportCommand() *cobra.Command {
	p := &portal{}
	var output string
	cmd := &cobra.Command{
		Use: "export BUNDLE", Short: "Fetch a published bundle with today's metadata, to carry it to nodes without a network", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.connect(c.out); err != nil {
				return err
			}
			if output == "" {
				output = filepath.Base(args[0]) + ".epb"
			}
			return p.export(cmd.Context(), args[0], output)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "the file to write; the bundle's name with .epb without")
	return cmd
}

// export writes the file under its name only when it is whole.
func (p *portal) export(ctx context.Context, id, output string) error {
	answer, err := p.do(ctx, http.MethodGet, p.path("bundles/"+url.PathEscape(id)+"/file"), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	f, err := os.CreateTemp(filepath.Dir(output), ".bundle-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is there no more when all went well
	n, err := io.Copy(f, answer.Body)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	b, err := bundle.Open(f.Name())
	if err != nil {
		return err
	}
	if err := errors.Join(b.Verify(ctx), b.Close()); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: %s\n", output, bytesOf(n))
	return os.Rename(f.Name(), output)
}

func (c *cli) bundleInventoriesCommand() *cobra.Command {
	p := &portal{}
	var output string
	cmd := &cobra.Command{
		Use: "inventories [QUERY]", Short: "Fetch what nodes have installed, one file per different set of packages, for build's nodes:",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.connect(c.out); err != nil {
				return err
			}
			return p.inventories(cmd.Context(), strings.Join(args, " "), output)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "inventories", "the folder to write, with a folder per variant in it")
	return cmd
}

// listedNode is what a list of nodes tells that a build needs.
type listedNode struct {
	ID              string   `json:"id"`
	OSID            string   `json:"os_id"`
	VersionID       string   `json:"version_id"`
	Codename        string   `json:"codename"`
	Arch            string   `json:"arch"`
	Held            []string `json:"held"`
	State           string   `json:"state"`
	InventorySHA256 string   `json:"inventory_sha256"`
}

// inventories fetches each set of packages once: ten thousand machines have a few dozen.
func (p *portal) inventories(ctx context.Context, query, dir string) error {
	seen, nodes := map[string]bool{}, 0
	for offset := 0; ; {
		var page struct {
			Items []listedNode `json:"items"`
		}
		if err := p.get(ctx, p.path("nodes", "q", query, "offset", fmt.Sprint(offset), "limit", "1000"), &page); err != nil {
			return err
		}
		for _, n := range page.Items {
			if n.State != "accepted" || len(n.InventorySHA256) != 64 {
				continue
			}
			nodes++
			if seen[n.InventorySHA256] {
				continue
			}
			seen[n.InventorySHA256] = true
			if err := p.inventory(ctx, n, dir); err != nil {
				return err
			}
		}
		if offset += len(page.Items); len(page.Items) < 1000 {
			break
		}
	}
	fmt.Fprintf(p.out, "%s: %d different inventories of %d nodes\n", dir, len(seen), nodes)
	return nil
}

func (p *portal) inventory(ctx context.Context, n listedNode, dir string) error {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := p.get(ctx, "/api/v1/edge/nodes/"+url.PathEscape(n.ID)+"/packages", &list); err != nil {
		return err
	}
	body, err := json.MarshalIndent(map[string]any{"packages": list.Items, "held": n.Held, "arch": n.Arch,
		"os_release": map[string]string{"ID": n.OSID, "VERSION_ID": n.VersionID, "VERSION_CODENAME": n.Codename}}, "", " ")
	if err != nil {
		return err
	}
	variant := filepath.Join(dir, filepath.Base(n.OSID+"-"+n.VersionID+"-"+n.Arch))
	if err := os.MkdirAll(variant, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(variant, n.InventorySHA256[:16]+".json"), append(body, '\n'), 0o644)
}
