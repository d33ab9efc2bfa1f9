package event

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Envelope is an event on the wire and on disk.
type Envelope struct {
	Data    json.RawMessage `json:"data"`
	Event   Name            `json:"event"`
	Version Version         `json:"version"`
	// ID is the event's number within its build, counted from 0.
	ID string `json:"event_id,omitempty"`
}

// decoders makes an event of each known name from its data.
var decoders = map[Name]func(json.RawMessage) (Event, error){
	NameStatus:                   decode[Status],
	NameLog:                      decode[Log],
	NameError:                    decode[Error],
	NameWaitingForWorker:         decode[WaitingForWorker],
	NameSelectedWorker:           decode[SelectedWorker],
	NameStreamingVolume:          decode[StreamingVolume],
	NameWaitingForStreamedVolume: decode[WaitingForStreamedVolume],
	NameInitialize:               decode[Initialize],
	NameStart:                    decode[Start],
	NameFinish:                   decode[Finish],
	NameInitializeTask:           decode[InitializeTask],
	NameStartTask:                decode[StartTask],
	NameFinishTask:               decode[FinishTask],
	NameInitializeCheck:          decode[InitializeCheck],
	NameInitializeGet:            decode[InitializeGet],
	NameStartGet:                 decode[StartGet],
	NameFinishGet:                decode[FinishGet],
	NameInitializePut:            decode[InitializePut],
	NameStartPut:                 decode[StartPut],
	NameFinishPut:                decode[FinishPut],
	NameSetPipelineChanged:       decode[SetPipelineChanged],
	NameImageCheck:               decode[ImageCheck],
	NameImageGet:                 decode[ImageGet],
	NameAcrossSubsteps:           decode[AcrossSubsteps],
}

func decode[E Event](data json.RawMessage) (Event, error) {
	var ev E
	err := json.Unmarshal(data, &ev)
	return ev, err
}

// Known says whether fly understands events of this name; others end it with an
// error, so they must not be sent to it.
func Known(name Name) bool {
	_, ok := decoders[name]
	return ok
}

// Names lists what fly understands, in no particular order.
func Names() []Name {
	names := make([]Name, 0, len(decoders))
	for name := range decoders {
		names = append(names, name)
	}
	return names
}

// Seal puts an event into an envelope without a number.
func Seal(ev Event) (Envelope, error) {
	data, err := json.Marshal(ev)
	if err != nil {
		return Envelope{}, fmt.Errorf("encode %s event: %w", ev.Name(), err)
	}
	return Envelope{Data: data, Event: ev.Name(), Version: ev.Version()}, nil
}

// Numbered returns the envelope with the event's number in its build.
func (e Envelope) Numbered(id int64) Envelope {
	e.ID = strconv.FormatInt(id, 10)
	return e
}

// Encode is Seal, Numbered and JSON in one: the data line of one server-sent event.
func Encode(ev Event, id int64) ([]byte, error) {
	envelope, err := Seal(ev)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope.Numbered(id))
}

// Open decodes the event in an envelope. A name or a major version that is not
// known is an error, as it is for fly.
func (e Envelope) Open() (Event, error) {
	decode, ok := decoders[e.Event]
	if !ok {
		return nil, fmt.Errorf("unknown event type: %s", e.Event)
	}
	ev, err := decode(e.Data)
	if err != nil {
		return nil, fmt.Errorf("decode %s event: %w", e.Event, err)
	}
	if major(ev.Version()) != major(e.Version) {
		return nil, fmt.Errorf("unknown version %s of event %s", e.Version, e.Event)
	}
	return ev, nil
}

// Parse decodes the JSON of an envelope and the event in it.
func Parse(line []byte) (Event, error) {
	var envelope Envelope
	if err := json.Unmarshal(line, &envelope); err != nil {
		return nil, fmt.Errorf("decode event envelope: %w", err)
	}
	return envelope.Open()
}

func major(v Version) string {
	for i := range len(v) {
		if v[i] == '.' {
			return string(v[:i])
		}
	}
	return string(v)
}
