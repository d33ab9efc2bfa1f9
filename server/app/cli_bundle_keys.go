package app

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

func (c *cli) bundleKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make keys and say which of them count",
		Long: `Three kinds of keys vouch for bundles. Root keys say who counts; two of three
people hold them on paper or a stick. Release keys sign bundles. The timestamp
key stays with the portal and can sign neither.

A first try, all on one machine:

  signalbox bundle keys init --timestamp-key KEY   (the portal shows its key)

For real, each person makes a key where it stays (keys new), one collects the
.pub files (keys init --root-key … --release-key …), and root people sign the
draft in turn (keys sign).`,
	}
	cmd.AddCommand(c.keysNewCommand(), c.keysInitCommand(), c.keysSignCommand(), c.keysShowCommand(), c.keysImportCommand())
	for _, change := range []struct{ use, short string }{
		{"add PUBLIC-KEY", "Let one more key sign; root keys have to agree (keys sign)"},
		{"rotate OLD-ID NEW-PUBLIC-KEY", "Put a key in another's place; root keys have to agree (keys sign)"},
		{"revoke ID", "Let a key sign no longer; root keys have to agree (keys sign)"},
		{"renew", "Move the root's date; root keys have to agree (keys sign)"},
	} {
		cmd.AddCommand(c.keysChangeCommand(change.use, change.short))
	}
	return cmd
}

// publicKey reads a .pub file, or the key itself.
func publicKey(text string) (ed25519.PublicKey, error) {
	if data, err := os.ReadFile(text); err == nil {
		return ceremony.ParsePublic(string(data))
	}
	return ceremony.ParsePublic(text)
}

func publicKeys(texts []string) (keys []ed25519.PublicKey, err error) {
	for _, text := range texts {
		key, err := publicKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// newKey makes a key and writes NAME.key, readable by its owner alone, and NAME.pub. It overwrites nothing.
func newKey(name, passphrase string) (ceremony.Key, error) {
	if _, err := os.Stat(name + ".key"); err == nil {
		return ceremony.Key{}, fmt.Errorf("%s.key is there already", name)
	}
	key, err := ceremony.NewKey(rand.Reader)
	if err != nil {
		return key, err
	}
	data, err := key.Seal(passphrase, rand.Reader)
	if err != nil {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return key, err
	}
	for _, f := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{{name + ".key", append(data, '\n'), 0o600}, {name + ".pub", []byte(ceremony.FormatPublic(key.Public()) + "\n"), 0o644}} {
		out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
		if err != nil {
			return key, err
		}
		_, err = out.Write(f.data)
		if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
			return key, err
		}
	}
	return key, nil
}

func (c *cli) keysNewCommand() *cobra.Command {
	s := &signer{}
	cmd := &cobra.Command{
		Use: "new NAME", Short: "Make a key: NAME.key, sealed with a passphrase, and NAME.pub to give away", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.in, s.say = cmd.InOrStdin(), cmd.ErrOrStderr()
			name := strings.TrimSuffix(args[0], ".key")
			passphrase, err := s.askNew(filepath.Base(name) + ".key (new)")
			if err != nil {
				return err
			}
			key, err := newKey(name, passphrase)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.out, "%s\n%s\n", key.ID(), ceremony.FormatPublic(key.Public()))
			return nil
		},
	}
	s.passphraseFlag(cmd)
	return cmd
}

// founding is what keys init is told.
type founding struct {
	signer
	dir                             string
	root, release, timestamp        []string
	rootThreshold, releaseThreshold int
	life                            time.Duration
}

func (c *cli) keysInitCommand() *cobra.Command {
	f := &founding{}
	cmd := &cobra.Command{
		Use: "init", Short: "Draft the first root; without --root-key, make three root keys and a release key here and sign it", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := f.open(cmd)
			if err != nil {
				return err
			}
			if len(f.timestamp) == 0 {
				return errUsage{errors.New("say with --timestamp-key the portal's public key; its page of keys shows it")}
			}
			return c.found(f, folder)
		},
	}
	f.trustFlag(cmd)
	f.passphraseFlag(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.root, "root-key", nil, "public key (or .pub file) of a root person; several times")
	flags.StringArrayVar(&f.release, "release-key", nil, "public key (or .pub file) of a release person; several times")
	flags.StringArrayVar(&f.timestamp, "timestamp-key", nil, "the portal's public key (or .pub file)")
	flags.IntVar(&f.rootThreshold, "root-threshold", 2, "how many root keys must sign")
	flags.IntVar(&f.releaseThreshold, "release-threshold", 1, "how many release keys must sign")
	flags.StringVar(&f.dir, "keys", "keys", "folder for keys that are made here")
	flags.DurationVar(&f.life, "valid", rootLife, "how long the root is valid")
	return cmd
}

func (c *cli) found(f *founding, folder *ceremony.Folder) error {
	with := ceremony.Founding{RootThreshold: f.rootThreshold, ReleaseThreshold: f.releaseThreshold, Expires: time.Now().Add(f.life)}
	var err, err2, err3 error
	with.Root, err = publicKeys(f.root)
	with.Release, err2 = publicKeys(f.release)
	with.Timestamp, err3 = publicKeys(f.timestamp)
	if err := errors.Join(err, err2, err3); err != nil {
		return errUsage{err}
	}
	if len(folder.Set().Roots) > 0 {
		return fmt.Errorf("%s has a root already; change it with keys add, rotate or revoke", f.trust)
	}
	var made []ceremony.Key
	if len(with.Root) == 0 {
		if made, err = f.makeKeys(&with); err != nil {
			return err
		}
	}
	if err := folder.Found(with); err != nil {
		return err
	}
	for _, key := range made[:min(len(made), f.rootThreshold)] {
		if _, err := folder.SignDraft(key); err != nil {
			return err
		}
	}
	if len(made) > 0 {
		fmt.Fprintf(c.out, "The keys are in %s. Bring root-1 to root-3 to three places that are not connected; release-1 signs bundles.\n", f.dir)
	}
	return c.describe(folder)
}

// makeKeys makes the keys of a first try: all in one place.
func (f *founding) makeKeys(with *ceremony.Founding) ([]ceremony.Key, error) {
	passphrase, err := f.askNew("the new keys")
	if err != nil {
		return nil, err
	}
	var roots []ceremony.Key
	for i := 1; i <= 3; i++ {
		key, err := newKey(filepath.Join(f.dir, fmt.Sprintf("root-%d", i)), passphrase)
		if err != nil {
			return nil, err
		}
		roots = append(roots, key)
		with.Root = append(with.Root, key.Public())
	}
	for i := 1; len(with.Release) < f.releaseThreshold; i++ {
		key, err := newKey(filepath.Join(f.dir, fmt.Sprintf("release-%d", i)), passphrase)
		if err != nil {
			return nil, err
		}
		with.Release = append(with.Release, key.Public())
	}
	return roots, nil
}

func (c *cli) describe(folder *ceremony.Folder) error {
	lines, err := folder.Describe(time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, strings.Join(lines, "\n"))
	return nil
}

func (c *cli) keysSignCommand() *cobra.Command {
	s := &signer{}
	cmd := &cobra.Command{
		Use: "sign", Short: "Agree to the drafted root with a root key", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := s.open(cmd)
			if err != nil {
				return err
			}
			// What is agreed to is shown before the passphrase is asked for.
			if err := c.describe(folder); err != nil {
				return err
			}
			keys, err := s.openKeys(folder.MayAgree)
			if err != nil {
				return err
			}
			var progress ceremony.Progress
			for _, key := range keys {
				if progress, err = folder.SignDraft(key); err != nil {
					return err
				}
				if progress.Done {
					break
				}
			}
			if progress.Done {
				fmt.Fprintln(c.out, "\nThe new root counts. Publish it; after a change of release keys, sign the list anew first (bundle sign).")
				return nil
			}
			fmt.Fprintf(c.out, "\n%d of %d signatures.\n", progress.Have, progress.Need)
			return nil
		},
	}
	s.flags(cmd, "a root key; may be given several times")
	return cmd
}

func (c *cli) keysShowCommand() *cobra.Command {
	s := &signer{}
	cmd := &cobra.Command{
		Use: "show", Short: "Show who may sign, what waits for signatures, and what is about to lapse", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := s.open(cmd)
			if err != nil {
				return err
			}
			return c.describe(folder)
		},
	}
	s.trustFlag(cmd)
	return cmd
}

func (c *cli) keysImportCommand() *cobra.Command {
	s := &signer{}
	cmd := &cobra.Command{
		Use: "import FILE.epb|FOLDER", Short: "Take over newer signed metadata from a bundle or another trust folder", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := s.open(cmd)
			if err != nil {
				return err
			}
			offered, err := offeredSet(args[0])
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := folder.Import(offered); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return c.describe(folder)
		},
	}
	s.trustFlag(cmd)
	return cmd
}

// offeredSet is the metadata in a bundle or a trust folder.
func offeredSet(path string) (bundle.Set, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return bundle.ReadSet(path)
	}
	file, err := bundle.Open(path)
	if err != nil {
		return bundle.Set{}, err
	}
	return file.Set, file.Close()
}

// keysChangeCommand is add, rotate, revoke or renew: a draft of the next root.
func (c *cli) keysChangeCommand(use, short string) *cobra.Command {
	s := &signer{}
	var role string
	var threshold int
	life := rootLife
	words := strings.Fields(use)
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly(len(words) - 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := s.open(cmd)
			if err != nil {
				return err
			}
			var changes []ceremony.Change
			if words[0] != "renew" {
				change := ceremony.Change{Role: ceremony.Role(role), Threshold: threshold}
				if words[0] != "add" {
					change.Remove = args[0]
				}
				if words[0] != "revoke" {
					if change.Add, err = publicKey(args[len(args)-1]); err != nil {
						return errUsage{err}
					}
				}
				changes = append(changes, change)
			}
			if err := folder.Draft(time.Now().Add(life), changes...); err != nil {
				return err
			}
			return c.describe(folder)
		},
	}
	s.trustFlag(cmd)
	cmd.Flags().DurationVar(&life, "valid", life, "how long the root is valid")
	if words[0] != "renew" {
		cmd.Flags().StringVar(&role, "role", "", "root, release or timestamp")
		cmd.Flags().IntVar(&threshold, "threshold", 0, "how many keys of the role must sign from now on; as before without")
	}
	return cmd
}
