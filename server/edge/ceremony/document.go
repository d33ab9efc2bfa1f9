package ceremony

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// specVersion is the edition of the TUF specification that the documents follow.
const specVersion = "1.0.31"

// document is one piece of TUF metadata with its signatures.
type document[T any] struct {
	Signatures []signature `json:"signatures"`
	Signed     T           `json:"signed"`
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// head is what all kinds begin with.
type head struct {
	Type        string    `json:"_type"`
	SpecVersion string    `json:"spec_version"`
	Version     int64     `json:"version"`
	Expires     time.Time `json:"expires"`
}

func newHead(kind string, version int64, expires time.Time) head {
	return head{kind, specVersion, version, expires.UTC().Truncate(time.Second)}
}

type rootBody struct {
	head
	ConsistentSnapshot bool                `json:"consistent_snapshot"`
	Keys               map[string]keyBody  `json:"keys"`
	Roles              map[string]roleBody `json:"roles"`
}

type keyBody struct {
	Type   string `json:"keytype"`
	Scheme string `json:"scheme"`
	Value  struct {
		Public string `json:"public"`
	} `json:"keyval"`
}

type roleBody struct {
	KeyIDs    []string `json:"keyids"`
	Threshold int      `json:"threshold"`
}

type targetsBody struct {
	head
	Targets map[string]targetBody `json:"targets"`
}

type targetBody struct {
	Length int64             `json:"length"`
	Hashes map[string]string `json:"hashes"`
	Custom bundle.TargetInfo `json:"custom"`
}

type metaBody struct {
	head
	Meta map[string]fileBody `json:"meta"`
}

type fileBody struct {
	Version int64             `json:"version"`
	Length  int64             `json:"length,omitempty"`
	Hashes  map[string]string `json:"hashes,omitempty"`
}

func documentKey(public ed25519.PublicKey) keyBody {
	k := keyBody{Type: "ed25519", Scheme: "ed25519"}
	k.Value.Public = hex.EncodeToString(public)
	return k
}

// read decodes a document of ours. Its trustworthiness is the caller's matter.
func read[T any](data []byte) (document[T], error) {
	var d document[T]
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("read metadata: %w", err)
	}
	return d, nil
}

func (d document[T]) bytes() ([]byte, error) {
	if d.Signatures == nil {
		d.Signatures = []signature{}
	}
	data, err := json.MarshalIndent(d, "", " ")
	return append(data, '\n'), err
}

// sign adds the key's signature, in place of an older one of the same key.
func (d *document[T]) sign(key Key) error {
	payload, err := bundle.Canonical(d.Signed)
	if err != nil {
		return fmt.Errorf("sign metadata: %w", err)
	}
	id := key.ID()
	d.Signatures = slices.DeleteFunc(d.Signatures, func(s signature) bool { return s.KeyID == id })
	d.Signatures = append(d.Signatures, signature{id, hex.EncodeToString(ed25519.Sign(key.private, payload))})
	slices.SortFunc(d.Signatures, func(a, b signature) int {
		if a.KeyID < b.KeyID {
			return -1
		}
		return 1
	})
	return nil
}

// signers counts the role's keys whose signature is good.
func (d document[T]) signers(root rootBody, role string) []string {
	payload, err := bundle.Canonical(d.Signed)
	if err != nil {
		return nil
	}
	var ids []string
	for _, s := range d.Signatures {
		raw, err := hex.DecodeString(root.Keys[s.KeyID].Value.Public)
		sig, err2 := hex.DecodeString(s.Sig)
		if err == nil && err2 == nil && len(raw) == ed25519.PublicKeySize && slices.Contains(root.Roles[role].KeyIDs, s.KeyID) &&
			!slices.Contains(ids, s.KeyID) && ed25519.Verify(raw, payload, sig) {
			ids = append(ids, s.KeyID)
		}
	}
	return ids
}
