package app

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

// Lifetimes of what people sign. A root that lapses stops a fleet, so it lives
// longer than a year and asks for its successor 90 days before.
const (
	rootLife = 400 * 24 * time.Hour
	listLife = 365 * 24 * time.Hour
)

func (c *cli) bundleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bundle", Short: "Build, sign, verify and publish patch bundles; keys and sign need no network"}
	cmd.AddCommand(c.bundleKeysCommand(), c.bundleSignCommand(), c.bundleVerifyCommand(), c.bundleInspectCommand())
	cmd.AddCommand(c.bundleBuildCommands()...)
	return cmd
}

// signer is what commands that open private keys share.
type signer struct {
	trust string
	keys  []string
	passphrases
}

func (s *signer) flags(cmd *cobra.Command, key string) {
	s.trustFlag(cmd)
	cmd.Flags().StringArrayVar(&s.keys, "key", nil, key)
	s.passphraseFlag(cmd)
}

func (s *signer) trustFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.trust, "trust", "trust", "the trust folder")
}

func (s *signer) passphraseFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "passphrase-file", "", "file that holds the passphrase; asked for without")
}

// open prepares asking and reads the trust folder.
func (s *signer) open(cmd *cobra.Command) (*ceremony.Folder, error) {
	s.in, s.say = cmd.InOrStdin(), cmd.ErrOrStderr()
	return ceremony.Open(s.trust)
}

// openKeys asks for passphrases only of keys that may sign what is to be signed.
func (s *signer) openKeys(may func(ed25519.PublicKey) error) ([]ceremony.Key, error) {
	if len(s.keys) == 0 {
		return nil, errUsage{errors.New("say with --key who signs")}
	}
	var keys []ceremony.Key
	for _, path := range s.keys {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		public, err := ceremony.PublicOf(data)
		if err == nil {
			err = may(public)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		passphrase, err := s.ask(filepath.Base(path))
		if err != nil {
			return nil, err
		}
		key, err := ceremony.OpenKey(data, passphrase)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (c *cli) bundleSignCommand() *cobra.Command {
	s := &signer{}
	var drop []string
	life := listLife
	cmd := &cobra.Command{
		Use: "sign [FILE.epb]", Short: "Sign a bundle with release keys; without a file, sign the present list anew",
		Long: `Sign vouches for a bundle: it hashes everything in it, adds it to the list of
bundles in the trust folder and signs the list. Where several release keys must
sign, each person signs the same file in turn. It needs no network.

After a rotation of release keys, sign without a file signs the list anew.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := s.open(cmd)
			if err != nil {
				return err
			}
			now := time.Now()
			release := ceremony.Release{Drop: drop, Now: now, Expires: now.Add(life)}
			if len(args) > 0 {
				if release.File, err = bundle.Open(args[0]); err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				defer release.File.Close() // only read from
			}
			if release.Keys, err = s.openKeys(folder.MaySign); err != nil {
				return err
			}
			if len(args) == 0 {
				return c.signList(cmd.Context(), folder, release)
			}
			return c.signBundle(cmd.Context(), folder, release, args[0])
		},
	}
	s.flags(cmd, "a release key; may be given several times")
	cmd.Flags().StringArrayVar(&drop, "drop", nil, "a bundle's name to vouch for no longer")
	cmd.Flags().DurationVar(&life, "valid", life, "how long the list is valid")
	return cmd
}

func (c *cli) signList(ctx context.Context, folder *ceremony.Folder, release ceremony.Release) error {
	if _, _, err := folder.Sign(ctx, release); err != nil {
		return err
	}
	bundles, err := folder.Bundles()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Signed the list of %d bundles anew:\n", len(bundles))
	for _, b := range bundles {
		fmt.Fprintf(c.out, "  %s %d  %s\n", b.Channel, b.Version, b.ID)
	}
	return nil
}

func (c *cli) signBundle(ctx context.Context, folder *ceremony.Folder, release ceremony.Release, path string) error {
	// If writing fails after this, the folder lists a bundle that carries no signatures: signing it once more mends that.
	set, progress, err := folder.Sign(ctx, release)
	if err != nil {
		return fmt.Errorf("sign %s: %w", path, err)
	}
	if err := rewrite(path, release.File, set); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	m := release.File.Manifest
	fmt.Fprintf(c.out, "Signed bundle %s (version %d, channel %s): %d of %d signatures\n", m.BundleID, m.Version, m.Channel, progress.Have, progress.Need)
	if !progress.Done {
		fmt.Fprintln(c.out, "The next release person signs this same file.")
	}
	return nil
}

// rewrite replaces the bundle by the same with other metadata, or leaves it untouched.
func rewrite(path string, file *bundle.File, set bundle.Set) error {
	sbom, err := file.SBOM()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // gone already when all went well
	content := bundle.Content{Manifest: file.Manifest, SBOM: sbom, Set: set, Blob: func(sha string) (io.ReadCloser, error) {
		if !file.Has(sha) {
			return nil, os.ErrNotExist
		}
		r, err := file.Blob(sha)
		return io.NopCloser(r), err
	}}
	if err := errors.Join(bundle.Write(out, content), out.Chmod(0o644), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func (c *cli) bundleVerifyCommand() *cobra.Command {
	var trust, root string
	cmd := &cobra.Command{
		Use: "verify FILE.epb", Short: "Check a bundle's signatures and every byte of it, as a node would", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := bundle.ReadSet(trust)
			if root != "" {
				var data []byte
				data, err = os.ReadFile(root)
				set = bundle.Set{Roots: [][]byte{data}}
			}
			if err != nil {
				return err
			}
			if len(set.Roots) == 0 {
				return errUsage{fmt.Errorf("%s holds no root; say with --trust or --root whom you trust", trust)}
			}
			return c.verify(cmd.Context(), args[0], set)
		},
	}
	cmd.Flags().StringVar(&trust, "trust", "trust", "the trust folder")
	cmd.Flags().StringVar(&root, "root", "", "a root.json to trust, instead of a folder")
	return cmd
}

func (c *cli) verify(ctx context.Context, path string, trusted bundle.Set) error {
	file, err := bundle.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer file.Close() // only read from
	now := time.Now()
	_, view, err := bundle.Accept(trusted, file.Set, bundle.Carried, now)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m, err := view.Manifest(file.Manifest.BundleID, file.ManifestBytes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := m.Fresh(now, 0); err != nil {
		return err
	}
	if err := file.Verify(ctx); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(c.out, "Good: bundle %s (version %d, channel %s), vouched for by root %d through %s\n", m.BundleID, m.Version, m.Channel, view.Root.Version, plural(len(view.Signers()), "release key"))
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c *cli) bundleInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "inspect FILE.epb", Short: "Show what a bundle says of itself; believes nothing, checks nothing", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := bundle.Open(args[0])
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			defer file.Close() // only read from
			if asJSON {
				encoder := json.NewEncoder(c.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(file.Manifest)
			}
			c.inspect(file)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	return cmd
}

func (c *cli) inspect(file *bundle.File) {
	m := file.Manifest
	fmt.Fprintf(c.out, "Bundle    %s, version %d of channel %s\n", m.BundleID, m.Version, m.Channel)
	fmt.Fprintf(c.out, "Made      %s by %s; expires %s\n", m.Created.Format(time.RFC3339), m.Provenance.Builder, m.Expires.Format(time.RFC3339))
	signed := "no"
	if file.Signed() {
		signed = "yes, by whom says verify"
	}
	fmt.Fprintf(c.out, "Signed    %s\nReboot    %s\n", signed, m.Requires.Reboot)
	for _, v := range m.Variants {
		fmt.Fprintf(c.out, "\n%s (%s, %s): %s\n", v.Name(), v.Codename, v.PackageSystem, plural(len(v.Packages), "package"))
		for _, p := range v.Packages {
			line := fmt.Sprintf("  %-32s %-28s %9s", p.Name, p.Version, kilobytes(p.Size))
			if len(p.Deltas) > 0 {
				smallest := slices.MinFunc(p.Deltas, func(a, b bundle.Delta) int { return int(a.Size - b.Size) })
				line += " as delta " + kilobytes(smallest.Size)
			}
			fmt.Fprintln(c.out, line)
		}
		for _, allowed := range []struct {
			what  string
			names []string
		}{{"may remove", v.Allow.Remove}, {"may add", v.Allow.New}, {"may downgrade", v.Allow.Downgrade}} {
			if len(allowed.names) > 0 {
				fmt.Fprintf(c.out, "  %s: %s\n", allowed.what, strings.Join(allowed.names, ", "))
			}
		}
	}
	if len(m.Fixes) > 0 {
		fmt.Fprintln(c.out, "\nFixes")
	}
	for _, f := range m.Fixes {
		fmt.Fprintf(c.out, "  %-18s %s %s %s\n", f.CVE, f.Source, f.FixedVersion, f.Severity)
	}
	if err := file.Complete(); err != nil {
		fmt.Fprintf(c.out, "\nIncomplete: %v\n", err)
	}
}

func kilobytes(n int64) string { return fmt.Sprintf("%d KiB", (n+1023)>>10) }
