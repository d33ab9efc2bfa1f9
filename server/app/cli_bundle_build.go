package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/edge/build"
)

// buildFlags are what a bundle can be described with on the command line, for a first one.
type buildFlags struct {
	output, cache, bundle, channel, repoKey, commit string
	version                                         int64
	nodes, sources, include                         []string
	quiet                                           bool
}

// bundleBuildCommands are those that make bundles and bring them to a server.
func (c *cli) bundleBuildCommands() []*cobra.Command {
	return []*cobra.Command{c.bundleBuildCommand(), c.bundlePublishCommand(), c.bundleExportCommand(), c.bundleInventoriesCommand()}
}

const bundleBuildHelp = `Build an unsigned bundle from what nodes have installed and what mirrors offer.

A description says all of it:

  bundle: debian-12-2026-11
  version: 7
  variants:
    - nodes: [inventories/*.json]       # or a dpkg status file, or the root folder of a system
      sources:
        - url: http://deb.debian.org/debian
          suite: bookworm
          keys: [/usr/share/keyrings/debian-archive-keyring.gpg]
        - url: http://deb.debian.org/debian-security
          suite: bookworm-security
          keys: [/usr/share/keyrings/debian-archive-keyring.gpg]
      include: {security: true}

A first bundle needs no file:

  signalbox bundle build --bundle first --node /srv/root --include security \
    --source 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' \
    --source 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security bookworm-security main'

The same inputs make the same bytes.`

func (c *cli) bundleBuildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use: "build [DESCRIPTION]", Short: "Build an unsigned bundle from nodes' inventories and package sources", Long: bundleBuildHelp,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := f.spec(args)
			if err != nil {
				return errUsage{err}
			}
			return c.bundleBuild(cmd, f, spec)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "the file to write; the bundle's name with .epb without")
	flags.StringVar(&f.cache, "cache", "", "folder that keeps fetched packages between builds")
	flags.StringVar(&f.bundle, "bundle", "", "the bundle's name, instead of the description's")
	flags.Int64Var(&f.version, "version", 0, "its number in its channel, instead of the description's")
	flags.StringVar(&f.channel, "channel", "", "its channel, instead of the description's")
	flags.StringVar(&f.repoKey, "repo-key", "", "OpenPGP key that signs the local repository; made when the file is not there")
	flags.StringVar(&f.commit, "commit", "", "the revision that the description came from, for the provenance")
	flags.StringArrayVar(&f.nodes, "node", nil, "an inventory, a status file of dpkg, a list of rpm or a root folder (without a description)")
	flags.StringArrayVar(&f.sources, "source", nil, "a source: a line as in sources.list, or a folder (without a description)")
	flags.StringSliceVar(&f.include, "include", nil, "security, everything, CVE-… or patterns of package names (without a description)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say only what is wrong")
	return cmd
}

// spec reads the description, or makes one of the flags.
func (f *buildFlags) spec(args []string) (build.Spec, error) {
	var spec build.Spec
	if len(args) == 1 {
		if len(f.nodes)+len(f.sources)+len(f.include) > 0 {
			return spec, fmt.Errorf("--node, --source and --include are for building without a description; write them into %s", args[0])
		}
		text, err := os.ReadFile(args[0])
		if err != nil {
			return spec, err
		}
		if spec, err = build.ReadSpec(text); err != nil {
			return spec, err
		}
	} else {
		v := build.Variant{Nodes: f.nodes, Include: includeOf(f.include)}
		for _, line := range f.sources {
			s, err := build.ParseSource(line)
			if err != nil {
				return spec, fmt.Errorf("--source %q: %w", line, err)
			}
			v.Sources = append(v.Sources, s)
		}
		if len(f.nodes) == 0 || len(f.sources) == 0 || f.bundle == "" {
			return spec, errors.New("name a description, or give --bundle, --node, --source and --include; signalbox bundle build --help shows both")
		}
		spec.Version, spec.Variants = 1, []build.Variant{v}
	}
	if f.bundle != "" {
		spec.Bundle = f.bundle
	}
	if f.version != 0 {
		spec.Version = f.version
	}
	if f.channel != "" {
		spec.Channel = f.channel
	}
	if f.repoKey != "" {
		spec.RepoKey = f.repoKey
	}
	if f.commit != "" {
		spec.Commit = f.commit
	}
	return spec, nil
}

func includeOf(words []string) build.Include {
	var in build.Include
	for _, w := range words {
		switch {
		case w == "security":
			in.Security = true
		case w == "everything":
			in.Everything = true
		case strings.HasPrefix(w, "CVE-"):
			in.CVEs = append(in.CVEs, w)
		default:
			in.Packages = append(in.Packages, w)
		}
	}
	return in
}

func (c *cli) bundleBuild(cmd *cobra.Command, f buildFlags, spec build.Spec) error {
	if spec.RepoKey != "" {
		if err := build.EnsureRepoKey(spec.RepoKey); err != nil {
			return err
		}
	}
	if f.cache == "" {
		dir, err := os.MkdirTemp("", "signalbox-bundle-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // nothing can be done about files that stay
		f.cache = dir
	}
	if f.output == "" {
		f.output = filepath.Base(spec.Bundle) + ".epb"
	}
	o := build.Options{Cache: f.cache, Fetch: build.LocalFetch(build.HTTPFetch(&http.Client{Timeout: 30 * time.Minute})), Now: now, Builder: "signalbox " + Version}
	if !f.quiet {
		o.Log = func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
	}
	report, err := build.File(cmd.Context(), spec, o, f.output)
	if err != nil {
		return err
	}
	printBuild(c.out, report, f.output)
	return nil
}

func printBuild(out io.Writer, r build.Report, path string) {
	for _, v := range r.Variants {
		fmt.Fprintf(out, "%s: %d packages for %d nodes, %s", v.Name, v.Packages, v.Nodes, bytesOf(v.Whole))
		if v.Deltas > 0 {
			fmt.Fprintf(out, "; with %d deltas %s (%.0f%%)", v.Deltas, bytesOf(v.Least), 100*float64(v.Least)/float64(v.Whole))
		}
		fmt.Fprintln(out)
		reasons := map[string]int{}
		for _, k := range v.Kept {
			reasons[fmt.Sprintf("  kept back: %s %s, not %s: %s", k.Package, k.Installed, k.Candidate, k.Reason)]++
		}
		for _, text := range slices.Sorted(maps.Keys(reasons)) {
			fmt.Fprintf(out, "%s (%d of %d nodes)\n", text, reasons[text], v.Nodes)
		}
		if len(v.NoRollback) > 0 {
			fmt.Fprintf(out, "  no source has the earlier version of: %s\n", strings.Join(v.NoRollback, ", "))
		}
	}
	fmt.Fprintf(out, "%s: %s, %d vulnerabilities fixed, unsigned\n", path, bytesOf(r.Bytes), r.Fixes)
}

func bytesOf(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
