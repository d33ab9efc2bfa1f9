package issues

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// The codecs are shared: each holds tables that are larger than an event.
var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<18))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// jsonBuffers are used again: a buffer is needed only until it is packed.
var jsonBuffers = sync.Pool{New: func() any { return new([]byte) }}

// largestBuffer is the largest that is kept for the next event.
const largestBuffer = 256 << 10

// packEvent is how an event is stored: JSON in zstd.
func packEvent(e *sentry.Event) ([]byte, error) {
	buf := jsonBuffers.Get().(*[]byte)
	raw, err := e.AppendJSON((*buf)[:0])
	if err != nil {
		return nil, fmt.Errorf("write the event: %w", err)
	}
	packed := packer().EncodeAll(raw, make([]byte, 0, len(raw)/3))
	if *buf = raw; cap(raw) <= largestBuffer {
		jsonBuffers.Put(buf)
	}
	return packed, nil
}

func unpackEvent(body []byte) (e sentry.Event, err error) {
	raw, err := unpacker().DecodeAll(body, nil)
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		return e, fmt.Errorf("read a stored event: %w", err)
	}
	return e, nil
}

// clipText cuts at a rune's end.
func clipText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
