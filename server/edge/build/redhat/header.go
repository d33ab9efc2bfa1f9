package redhat

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Tags of headers, by their numbers in rpm's format.
const (
	tagName, tagVersion, tagRelease, tagEpoch  = 1000, 1001, 1002, 1003
	tagSummary, tagDescription, tagBuildTime   = 1004, 1005, 1006
	tagBuildHost, tagSize, tagVendor           = 1007, 1009, 1011
	tagLicense, tagPackager, tagGroup, tagURL  = 1014, 1015, 1016, 1020
	tagArch, tagFileModes, tagFileFlags        = 1022, 1030, 1037
	tagSourceRPM, tagProvideName               = 1044, 1047
	tagRequireFlags, tagRequireName            = 1048, 1049
	tagRequireVersion, tagConflictFlags        = 1050, 1053
	tagConflictName, tagConflictVersion        = 1054, 1055
	tagChangeTime, tagChangeName, tagChange    = 1080, 1081, 1082
	tagObsoleteName, tagProvideFlags           = 1090, 1112
	tagProvideVersion, tagObsoleteFlags        = 1113, 1114
	tagObsoleteVersion, tagDirIndexes          = 1115, 1116
	tagBaseNames, tagDirNames, tagLongSize     = 1117, 1118, 5009
	tagPayloadDigest, tagPayloadDigestAlg      = 5092, 5093
	sigDSA, sigRSA, sigPayload, sigPayloadLong = 267, 268, 1007, 271
)

const (
	maxEntries = 1 << 16
	maxStore   = 128 << 20
	leadSize   = 96
	sha256Alg  = 8
)

// entry is one value of a header.
type entry struct {
	kind, count uint32
	data        []byte // from its beginning to the store's end
}

type header map[uint32]entry

// RPM is a package file, without its payload.
type RPM struct {
	main, signature header
	raw             []byte // the main header as it was signed
	// Start and End are where the main header lies in the file.
	Start, End int64
}

// ReadRPM reads the headers of a package file.
func ReadRPM(r io.Reader) (*RPM, error) {
	lead := make([]byte, leadSize)
	if _, err := io.ReadFull(r, lead); err != nil || !bytes.HasPrefix(lead, []byte{0xed, 0xab, 0xee, 0xdb}) {
		return nil, errors.New("not an rpm")
	}
	p := &RPM{}
	var raw []byte
	var err error
	if p.signature, raw, err = readHeader(r); err != nil {
		return nil, fmt.Errorf("signature header: %w", err)
	}
	pad := (8 - len(raw)%8) % 8
	if _, err := io.CopyN(io.Discard, r, int64(pad)); err != nil {
		return nil, err
	}
	p.Start = leadSize + int64(len(raw)) + int64(pad)
	if p.main, p.raw, err = readHeader(r); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	p.End = p.Start + int64(len(p.raw))
	if p.Name() == "" || p.text(tagVersion) == "" || p.Arch() == "" {
		return nil, errors.New("the header has no name, version or architecture")
	}
	return p, nil
}

func readHeader(r io.Reader) (header, []byte, error) {
	intro := make([]byte, 16)
	if _, err := io.ReadFull(r, intro); err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(intro[:4], []byte{0x8e, 0xad, 0xe8, 0x01}) {
		return nil, nil, errors.New("no header where one must be")
	}
	count, size := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
	if count > maxEntries || size > maxStore {
		return nil, nil, errors.New("a header larger than any that rpm makes")
	}
	var rest bytes.Buffer // grows with what is there, not with what is claimed
	if n, err := io.CopyN(&rest, r, int64(count)*16+int64(size)); err != nil {
		return nil, nil, fmt.Errorf("the header ends after %d bytes: %w", n, err)
	}
	body := rest.Bytes()
	store := body[count*16:]
	h := header{}
	for i := range count {
		e := body[i*16 : i*16+16]
		at := binary.BigEndian.Uint32(e[8:])
		if at > size {
			return nil, nil, errors.New("a value outside of its header")
		}
		h[binary.BigEndian.Uint32(e)] = entry{kind: binary.BigEndian.Uint32(e[4:]), count: binary.BigEndian.Uint32(e[12:]), data: store[at:]}
	}
	return h, append(intro, body...), nil
}

func (h header) texts(tag uint32) []string {
	e, found := h[tag]
	if !found || e.kind != 6 && e.kind != 8 && e.kind != 9 {
		return nil
	}
	var list []string
	for data := e.data; uint32(len(list)) < e.count; {
		end := bytes.IndexByte(data, 0)
		if end < 0 {
			break
		}
		list = append(list, string(data[:end]))
		data = data[end+1:]
	}
	return list
}

// numbers reads integers of 16, 32 and 64 bits.
func (h header) numbers(tag uint32) []int64 {
	e, found := h[tag]
	width := map[uint32]int{3: 2, 4: 4, 5: 8}[e.kind]
	if !found || width == 0 {
		return nil
	}
	var list []int64
	for i := 0; uint32(i) < e.count && (i+1)*width <= len(e.data); i++ {
		piece := e.data[i*width:]
		switch width {
		case 2:
			list = append(list, int64(binary.BigEndian.Uint16(piece)))
		case 4:
			list = append(list, int64(binary.BigEndian.Uint32(piece)))
		default:
			list = append(list, int64(binary.BigEndian.Uint64(piece))) //nolint:gosec // sizes and times
		}
	}
	return list
}

func (h header) bytes(tag uint32) []byte {
	e, found := h[tag]
	if !found || e.kind != 7 || int64(e.count) > int64(len(e.data)) {
		return nil
	}
	return e.data[:e.count]
}

func (p *RPM) text(tag uint32) string {
	if list := p.main.texts(tag); len(list) > 0 {
		return list[0]
	}
	return ""
}

func (p *RPM) number(tag uint32) int64 {
	if list := p.main.numbers(tag); len(list) > 0 {
		return list[0]
	}
	return 0
}

// Name is the package's.
func (p *RPM) Name() string { return p.text(tagName) }

// Arch is its architecture; a package of sources has none of use here.
func (p *RPM) Arch() string { return p.text(tagArch) }

// Epoch is 0 where the package has none.
func (p *RPM) Epoch() string { return strconv.FormatInt(p.number(tagEpoch), 10) }

// EVR is its version in full.
func (p *RPM) EVR() string { return EVR(p.Epoch(), p.text(tagVersion), p.text(tagRelease)) }

// Installed is what it takes unpacked.
func (p *RPM) Installed() int64 { return max(p.number(tagSize), p.number(tagLongSize)) }

// Made is when it was built.
func (p *RPM) Made() time.Time { return time.Unix(p.number(tagBuildTime), 0).UTC() }

func (p *RPM) archiveSize() int64 {
	for _, tag := range []uint32{sigPayload, sigPayloadLong} {
		if n := p.signature.numbers(tag); len(n) > 0 {
			return n[0]
		}
	}
	return 0
}

// Signed says whether the header carries a signature, by whomever.
func (p *RPM) Signed() bool { return p.headerSignature() != nil }

func (p *RPM) headerSignature() []byte {
	if s := p.signature.bytes(sigRSA); s != nil {
		return s
	}
	return p.signature.bytes(sigDSA)
}

// Verify checks that a trusted key signed the header, and that the payload, which is what
// payload reads from End on, is the one that the header names.
func (p *RPM) Verify(check func(signed, signature []byte) error, payload io.Reader) error {
	signature := p.headerSignature()
	if signature == nil {
		return errors.New("the package is not signed")
	}
	if err := check(p.raw, signature); err != nil {
		return err
	}
	digests := p.main.texts(tagPayloadDigest)
	if len(digests) != 1 || p.number(tagPayloadDigestAlg) != sha256Alg {
		return errors.New("the header does not name its payload by SHA-256")
	}
	h := sha256.New()
	if _, err := io.Copy(h, payload); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != digests[0] {
		return fmt.Errorf("the payload has the hash %s, signed was %s", got, digests[0])
	}
	return nil
}
