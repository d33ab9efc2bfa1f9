package event

import "encoding/json"

// Name is the word that says what an event is; it reaches the wire.
type Name string

// Version is "major.minor"; fly compares the major part only.
type Version string

// The names that fly 8.2 knows.
const (
	NameStatus                   Name = "status"
	NameLog                      Name = "log"
	NameError                    Name = "error"
	NameWaitingForWorker         Name = "waiting-for-worker"
	NameSelectedWorker           Name = "selected-worker"
	NameStreamingVolume          Name = "streaming-volume"
	NameWaitingForStreamedVolume Name = "waiting-for-streamed-volume"
	NameInitialize               Name = "initialize"
	NameStart                    Name = "start"
	NameFinish                   Name = "finish"
	NameInitializeTask           Name = "initialize-task"
	NameStartTask                Name = "start-task"
	NameFinishTask               Name = "finish-task"
	NameInitializeCheck          Name = "initialize-check"
	NameInitializeGet            Name = "initialize-get"
	NameStartGet                 Name = "start-get"
	NameFinishGet                Name = "finish-get"
	NameInitializePut            Name = "initialize-put"
	NameStartPut                 Name = "start-put"
	NameFinishPut                Name = "finish-put"
	NameSetPipelineChanged       Name = "set-pipeline-changed"
	NameImageCheck               Name = "image-check"
	NameImageGet                 Name = "image-get"
	NameAcrossSubsteps           Name = "across-substeps"
)

// Event is one thing that happened in a build.
type Event interface {
	Name() Name
	Version() Version
}

// Source says which output a log event came from.
type Source string

// The two outputs of a step; resource scripts log on stderr, tasks on stdout.
const (
	Stdout Source = "stdout"
	Stderr Source = "stderr"
)

// Origin says which plan an event belongs to.
type Origin struct {
	ID     string `json:"id,omitempty"`
	Source Source `json:"source,omitempty"`
}

// Status tells that the build has started or how it has ended. It has no origin:
// fly ends its stream on the last one and takes its exit code from it.
type Status struct {
	Status string `json:"status"`
	Time   int64  `json:"time"`
}

// Log is a piece of output, already redacted. Tasks run on a terminal, so their
// lines end in "\r\n".
type Log struct {
	Time    int64  `json:"time"`
	Origin  Origin `json:"origin"`
	Payload string `json:"payload"`
}

// Error is a sentence about a step that ended neither ok nor failed.
type Error struct {
	Message string `json:"message"`
	Origin  Origin `json:"origin"`
	Time    int64  `json:"time"`
}

// WaitingForWorker tells that a step waits for room to start its container.
type WaitingForWorker struct {
	Time   int64  `json:"time"`
	Origin Origin `json:"origin"`
}

// SelectedWorker tells where a step runs.
type SelectedWorker struct {
	Time   int64  `json:"time"`
	Origin Origin `json:"origin"`
	Worker string `json:"selected_worker"`
}

// StreamingVolume tells that a volume is copied between workers.
type StreamingVolume struct {
	Time         int64  `json:"time"`
	Origin       Origin `json:"origin"`
	Volume       string `json:"volume"`
	SourceWorker string `json:"source_worker"`
	DestWorker   string `json:"dest_worker"`
}

// WaitingForStreamedVolume tells that another step copies the volume already.
type WaitingForStreamedVolume struct {
	Time       int64  `json:"time"`
	Origin     Origin `json:"origin"`
	Volume     string `json:"volume"`
	DestWorker string `json:"dest_worker"`
}

// Initialize begins a step that is not get, put, task or check.
type Initialize struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// Start tells that a step has all it needs and runs; checks send it as well.
type Start struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// Finish ends what Initialize began, unless the step ended with an Error.
type Finish struct {
	Origin    Origin `json:"origin"`
	Time      int64  `json:"time"`
	Succeeded bool   `json:"succeeded"`
}

// TaskConfig is the part of a task's configuration that events show. Before the
// image is there it is all empty.
type TaskConfig struct {
	Platform string      `json:"platform"`
	Image    string      `json:"image"`
	Run      TaskRun     `json:"run"`
	Inputs   []TaskInput `json:"inputs"`
}

// TaskRun is what a task executes.
type TaskRun struct {
	Path string   `json:"path"`
	Args []string `json:"args"`
	Dir  string   `json:"dir"`
}

// TaskInput is one input a task declares.
type TaskInput struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// InitializeTask begins a task: its image is fetched next.
type InitializeTask struct {
	Time   int64      `json:"time"`
	Origin Origin     `json:"origin"`
	Config TaskConfig `json:"config"`
}

// StartTask tells that the task's container exists; fly prints the command from it.
type StartTask struct {
	Time   int64      `json:"time"`
	Origin Origin     `json:"origin"`
	Config TaskConfig `json:"config"`
}

// FinishTask carries the exit status, which becomes fly's own.
type FinishTask struct {
	Time       int64  `json:"time"`
	ExitStatus int    `json:"exit_status"`
	Origin     Origin `json:"origin"`
}

// InitializeCheck begins a check of the named resource, type or image.
type InitializeCheck struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
	Check  string `json:"name"`
}

// InitializeGet begins a get.
type InitializeGet struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// StartGet tells that the version is known and is being fetched.
type StartGet struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// Field is one line of metadata of a version.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FinishGet tells what a get fetched.
type FinishGet struct {
	Origin     Origin            `json:"origin"`
	Time       int64             `json:"time"`
	ExitStatus int               `json:"exit_status"`
	Fetched    map[string]string `json:"version"`
	Metadata   []Field           `json:"metadata,omitempty"`
}

// InitializePut begins a put.
type InitializePut struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// StartPut tells that a put begins to publish.
type StartPut struct {
	Origin Origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
}

// FinishPut tells what a put created.
type FinishPut struct {
	Origin     Origin            `json:"origin"`
	Time       int64             `json:"time"`
	ExitStatus int               `json:"exit_status"`
	Created    map[string]string `json:"version"`
	Metadata   []Field           `json:"metadata,omitempty"`
}

// SetPipelineChanged tells whether a set_pipeline step changed anything.
type SetPipelineChanged struct {
	Origin  Origin `json:"origin"`
	Changed bool   `json:"changed"`
}

// ImageCheck announces the public plan of the check that finds an image's version.
type ImageCheck struct {
	Time   int64           `json:"time"`
	Origin Origin          `json:"origin"`
	Plan   json.RawMessage `json:"plan"`
}

// ImageGet announces the public plan of the get that fetches an image.
type ImageGet struct {
	Time   int64           `json:"time"`
	Origin Origin          `json:"origin"`
	Plan   json.RawMessage `json:"plan"`
}

// AcrossSubsteps announces the sub-plans that an across step made from its values.
type AcrossSubsteps struct {
	Time     int64             `json:"time"`
	Origin   Origin            `json:"origin"`
	Substeps []json.RawMessage `json:"substeps"`
}
