package debian

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Entry is one package of a repository that is written.
type Entry struct {
	Control Stanza
	Path    string
	Size    int64
	SHA256  string
}

// WritePackages makes a Packages file; the same entries make the same bytes in any order.
func WritePackages(entries []Entry) []byte {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	var b bytes.Buffer
	for _, e := range entries {
		s := slices.Clone(e.Control)
		s = s.With("Filename", e.Path).With("Size", strconv.FormatInt(e.Size, 10)).With("SHA256", e.SHA256)
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// WriteRelease makes the Release file of a flat repository that holds only Packages. It has
// no Valid-Until: whether a bundle is too old is decided by its own signed dates, and a node
// whose clock is wrong must still be able to install.
func WriteRelease(codename, arch, description string, date time.Time, packages []byte) []byte {
	sum := sha256.Sum256(packages)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Origin: signalbox\nLabel: signalbox\n")
	if codename != "" {
		fmt.Fprintf(&b, "Codename: %s\n", codename)
	}
	fmt.Fprintf(&b, "Date: %s\nArchitectures: %s\n", date.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), arch)
	fmt.Fprintf(&b, "Description: %s\nSHA256:\n %s %d Packages\n", description, hex.EncodeToString(sum[:]), len(packages))
	return b.Bytes()
}

// born is the birthday of the keys made here. It lies before every bundle and before what a
// node's clock may fall back to: a key or a signature out of the future is refused.
var born = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewRepoKey makes an OpenPGP key for signing repositories, armored and without a passphrase.
func NewRepoKey(name string) ([]byte, error) {
	entity, err := openpgp.NewEntity(name, "patch bundles", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return born }})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PrivateKeyType, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(entity.SerializePrivate(w, nil), w.Close()); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// RepoKey signs a repository.
type RepoKey struct{ entity *openpgp.Entity }

// ReadRepoKey reads an armored private key that has no passphrase.
func ReadRepoKey(text []byte) (*RepoKey, error) {
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(ring) != 1 || ring[0].PrivateKey == nil || ring[0].PrivateKey.Encrypted {
		return nil, errors.New("the file must hold one private key without a passphrase")
	}
	return &RepoKey{entity: ring[0]}, nil
}

// signing is deterministic: no random notation, and the time of what is signed, so that
// the same bundle has the same bytes. No signature is older than its key.
func (k *RepoKey) signing(at time.Time) *packet.Config {
	plain := false
	if birth := k.entity.PrimaryKey.CreationTime; at.Before(birth) {
		at = birth
	}
	return &packet.Config{DefaultHash: crypto.SHA256, Time: func() time.Time { return at }, NonDeterministicSignaturesViaNotation: &plain}
}

// Public is the key as apt's signed-by and rpm's --import read it.
func (k *RepoKey) Public() ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(k.entity.Serialize(w), w.Close()); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// InRelease signs a Release file in place.
func (k *RepoKey) InRelease(release []byte, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, k.entity.PrivateKey, k.signing(at))
	if err != nil {
		return nil, err
	}
	_, err = w.Write(release)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Detached signs something apart, as rpm repositories want it beside repomd.xml.
func (k *RepoKey) Detached(data []byte, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, k.entity, bytes.NewReader(data), k.signing(at)); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Keys are public keys that may sign a source.
type Keys = openpgp.EntityList

// ReadKeys reads public keys, armored or not.
func ReadKeys(data []byte) (Keys, error) {
	if bytes.Contains(data, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		return readArmored(data)
	}
	return openpgp.ReadKeyRing(bytes.NewReader(data))
}

// Unwrap gives the text of a signed file without asking who signed it.
func Unwrap(data []byte) (string, error) {
	block, _ := clearsign.Decode(data)
	if block == nil {
		return "", errors.New("not a signed text")
	}
	return string(block.Plaintext), nil
}

// readArmored takes several blocks one after the other, as key files are often put together.
func readArmored(data []byte) (Keys, error) {
	const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	var all Keys
	for _, block := range strings.Split(string(data), begin)[1:] {
		ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(begin + block))
		if err != nil {
			return nil, err
		}
		all = append(all, ring...)
	}
	return all, nil
}

// VerifyInRelease gives the signed text. Each key may have signed; expired and revoked ones
// are not believed.
func VerifyInRelease(data []byte, keys Keys, now time.Time) (string, error) {
	block, rest := clearsign.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return "", errors.New("InRelease is not one signed text")
	}
	signature, err := io.ReadAll(block.ArmoredSignature.Body)
	if err != nil {
		return "", fmt.Errorf("InRelease: %w", err)
	}
	return string(block.Plaintext), VerifyDetached(block.Bytes, signature, keys, now)
}

// VerifyDetached checks a signature, or one of several, beside what it signs.
func VerifyDetached(data, signature []byte, keys Keys, now time.Time) error {
	if bytes.HasPrefix(bytes.TrimSpace(signature), []byte("-----BEGIN PGP")) {
		block, err := armor.Decode(bytes.NewReader(signature))
		if err != nil {
			return fmt.Errorf("the signature: %w", err)
		}
		if signature, err = io.ReadAll(block.Body); err != nil {
			return fmt.Errorf("the signature: %w", err)
		}
	}
	_, err := openpgp.CheckDetachedSignature(keys, bytes.NewReader(data), bytes.NewReader(signature), &packet.Config{Time: func() time.Time { return now }})
	if err != nil {
		return fmt.Errorf("no trusted key has signed it: %w", err)
	}
	return nil
}
