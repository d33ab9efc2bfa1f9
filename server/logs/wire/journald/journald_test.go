package journald

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

var update = flag.Bool("update", false, "write the golden files")

const longest = 400

// all reads a stream to its end; entries without a message are counted.
func all(in io.Reader) (list []record.Record, without int, err error) {
	r := NewReader(in, longest)
	for {
		rec, err := r.Next()
		switch {
		case err == io.EOF:
			return list, without, nil
		case errors.Is(err, ErrNoMessage):
			without++
		case err != nil:
			return list, without, err
		default:
			list = append(list, rec)
		}
	}
}

func show(list []record.Record) string {
	var out strings.Builder
	for _, r := range list {
		fmt.Fprintf(&out, "%s %s %s %q\n", r.Time.Format(time.RFC3339Nano), r.Level, r.Stream.Key(), r.Message)
		for _, f := range r.Fields {
			fmt.Fprintf(&out, "\t%s = %q\n", f.Name, f.Value)
		}
	}
	return out.String()
}

// binaryField is a field as it is written when its value holds line ends.
func binaryField(name, value string) string {
	return name + "\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(value)))) + value + "\n"
}

func TestExport(t *testing.T) {
	t.Parallel()
	// In front of, between and behind entries may be any number of empty lines.
	raw, err := os.ReadFile(filepath.Join("testdata", "entries.export"))
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, "\n\n"+binaryField("MESSAGE", "two\nlines\xff")+"SYSLOG_IDENTIFIER=kernel\n_TRANSPORT=kernel\nPRIORITY=9\n"...)
	golden := filepath.Join("testdata", "entries.txt")
	// A byte at a time, too: a request is read as it comes.
	for name, in := range map[string]io.Reader{"at once": bytes.NewReader(raw), "in bytes": iotest.OneByteReader(bytes.NewReader(raw))} {
		list, without, err := all(in)
		if err != nil || without != 1 {
			t.Errorf("%s: %d without a message, %v", name, without, err)
		}
		if *update {
			if err := os.WriteFile(golden, []byte(show(list)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if show(list) != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, show(list), want)
		}
	}
}

func TestOddStreams(t *testing.T) {
	t.Parallel()
	fine := "MESSAGE=fine\n\n"
	long := strings.Repeat("x", 300<<10)
	tests := []struct {
		name, in string
		lines    int
		want     error
	}{
		{"nothing", "", 0, nil},
		{"no end", "MESSAGE=fine", 1, nil},
		{"garbage", fine + "<13>hello world\n", 1, ErrMalformed},
		{"a long line of garbage", fine + long, 1, ErrMalformed},
		{"no name", "=x\n", 0, ErrMalformed},
		{"a wrong length", "MESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00ab\n", 0, ErrMalformed},
		{"a length that cannot be", "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffab\n", 0, ErrMalformed},
		{"cut off in a length", fine + "MESSAGE\n\x01\x00", 1, io.ErrUnexpectedEOF},
		{"cut off in a value", fine + "MESSAGE\n\x09\x00\x00\x00\x00\x00\x00\x00ab", 1, io.ErrUnexpectedEOF},
		{"cut off behind a value", "MESSAGE\n\x02\x00\x00\x00\x00\x00\x00\x00ab", 0, io.ErrUnexpectedEOF},
		{"long values", "A=" + long + "\n" + binaryField("B", long) + "MESSAGE=" + long + "\n\n" + binaryField("MESSAGE", long) + "\n" + fine, 3, nil},
		{"many fields", strings.Repeat("N=1\n", 5000) + fine, 1, nil},
	}
	for _, test := range tests {
		list, _, err := all(strings.NewReader(test.in))
		if !errors.Is(err, test.want) || len(list) != test.lines {
			t.Errorf("%s: %d lines, %v", test.name, len(list), err)
		}
		for _, r := range list {
			if len(r.Message) > longest || len(r.Message) == 0 {
				t.Errorf("%s: a message of %d bytes", test.name, len(r.Message))
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("MESSAGE=a\nPRIORITY=3\n\n" + binaryField("MESSAGE", "b\nc") + "_HOSTNAME=h\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, _, _ := all(bytes.NewReader(raw)) // only that it comes back matters
		for _, r := range list {
			if len(r.Fields) > record.DefaultLimits.Fields {
				t.Fatal("more fields than allowed")
			}
		}
	})
}
