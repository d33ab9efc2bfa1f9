package sentry

import "time"

// The values of Event.Type.
const (
	TypeError       = "error"       // has an exception or a stack
	TypeDefault     = "default"     // a message
	TypeTransaction = "transaction" // timings; no issue
	TypeFeedback    = "feedback"    // what a person wrote
	TypeCSP         = "csp"         // a Content-Security-Policy violation
	TypeExpectCT    = "expectct"    // a certificate transparency violation
	TypeHPKP        = "hpkp"        // a pinned key violation
)

// The values of Event.Level, from worst to least.
const (
	LevelFatal   = "fatal"
	LevelError   = "error"
	LevelWarning = "warning"
	LevelInfo    = "info"
	LevelDebug   = "debug"
)

// Event is a normalised event. Its JSON form is what is stored and shown;
// json.Unmarshal reads that form back, ParseEvent reads what clients send.
type Event struct {
	// ID has 32 lower-case hex digits; empty when the client sent none.
	ID   string `json:"event_id"`
	Type string `json:"type"`
	// Timestamp is corrected for the client's clock.
	Timestamp time.Time `json:"timestamp"`
	Received  time.Time `json:"received"`
	// Started is the start of a transaction.
	Started time.Time `json:"started,omitzero"`
	// ClockDrift is what was added to the client's time, when it was large.
	ClockDrift time.Duration `json:"clock_drift,omitempty"`

	Platform          string `json:"platform"`
	Level             string `json:"level"`
	Logger            string `json:"logger,omitempty"`
	Transaction       string `json:"transaction,omitempty"`
	TransactionSource string `json:"transaction_source,omitempty"`
	ServerName        string `json:"server_name,omitempty"`
	Release           string `json:"release,omitempty"`
	Dist              string `json:"dist,omitempty"`
	// Environment is production when the client names none.
	Environment string `json:"environment"`
	// Culprit is what an old client set itself; grouping makes one otherwise.
	Culprit string `json:"culprit,omitempty"`

	Message     Message                   `json:"message,omitzero"`
	Tags        []Pair                    `json:"tags,omitempty"`
	User        User                      `json:"user,omitzero"`
	Request     *Request                  `json:"request,omitempty"`
	Contexts    map[string]map[string]any `json:"contexts,omitempty"`
	Extra       map[string]any            `json:"extra,omitempty"`
	Exceptions  []Exception               `json:"exceptions,omitempty"`
	Threads     []Thread                  `json:"threads,omitempty"`
	Breadcrumbs []Breadcrumb              `json:"breadcrumbs,omitempty"`
	Fingerprint []string                  `json:"fingerprint,omitempty"`
	SDK         SDK                       `json:"sdk,omitzero"`
	Modules     map[string]string         `json:"modules,omitempty"`
	DebugImages []DebugImage              `json:"debug_images,omitempty"`
	// Errors are the client's own remarks and what was cut here, as sentences.
	Errors []string `json:"errors,omitempty"`

	TraceID string `json:"trace_id,omitempty"`
	SpanID  string `json:"span_id,omitempty"`

	Feedback *Feedback       `json:"feedback,omitempty"`
	Security *SecurityReport `json:"security,omitempty"`
	// Stack belongs to the event itself (old clients, templates), not to an
	// exception or a thread.
	Stack *Stack `json:"stack,omitempty"`
	Spans []Span `json:"spans,omitempty"`
	// Measurements are a transaction's numbers (web vitals and the like).
	Measurements map[string]any `json:"measurements,omitempty"`
}

// Pair is a key and a value whose order matters or whose key may repeat.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Message is a log message: its template, its parameters and both together.
type Message struct {
	// Template has the placeholders ("user %s failed"); empty when unknown.
	Template  string `json:"template,omitempty"`
	Formatted string `json:"formatted,omitempty"`
	Params    []any  `json:"params,omitempty"`
}

// Text is what a person reads: the formatted message or else its template.
func (m Message) Text() string {
	if m.Formatted != "" {
		return m.Formatted
	}
	return m.Template
}

// User is who was affected.
type User struct {
	ID       string `json:"id,omitempty"`
	Username string `json:"username,omitempty"`
	Email    string `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
	// IPAddress may be "{{auto}}": the caller puts the peer's address.
	IPAddress string         `json:"ip_address,omitempty"`
	Geo       map[string]any `json:"geo,omitempty"`
	Data      map[string]any `json:"data,omitempty"`
}

// AutoIP asks the server to note the address the request came from.
const AutoIP = "{{auto}}"

// Key identifies the user among a project's users: id, else e-mail, else
// name, else address, each with its kind. Empty when nothing is known.
func (u User) Key() string {
	switch {
	case u.ID != "":
		return "id:" + u.ID
	case u.Email != "":
		return "email:" + u.Email
	case u.Username != "":
		return "username:" + u.Username
	case u.IPAddress != "" && u.IPAddress != AutoIP:
		return "ip:" + u.IPAddress
	}
	return ""
}

// Request is the HTTP request during which it happened.
type Request struct {
	Method   string         `json:"method,omitempty"`
	URL      string         `json:"url,omitempty"`
	Query    []Pair         `json:"query,omitempty"`
	Fragment string         `json:"fragment,omitempty"`
	Data     any            `json:"data,omitempty"`
	Cookies  []Pair         `json:"cookies,omitempty"`
	Headers  []Pair         `json:"headers,omitempty"`
	Env      map[string]any `json:"env,omitempty"`
}

// Exception is one link of a chain; the oldest cause comes first, the one that
// was thrown last.
type Exception struct {
	// Type may be empty: a message with a stack comes that way.
	Type      string     `json:"type,omitempty"`
	Value     string     `json:"value,omitempty"`
	Module    string     `json:"module,omitempty"`
	ThreadID  string     `json:"thread_id,omitempty"`
	Mechanism *Mechanism `json:"mechanism,omitempty"`
	Stack     *Stack     `json:"stack,omitempty"`
	// RawStack is the stack before the client processed it.
	RawStack *Stack `json:"raw_stack,omitempty"`
}

// Mechanism tells how an exception was caught.
type Mechanism struct {
	Type        string         `json:"type,omitempty"`
	Handled     *bool          `json:"handled,omitempty"`
	Synthetic   bool           `json:"synthetic,omitempty"`
	Source      string         `json:"source,omitempty"`
	Description string         `json:"description,omitempty"`
	HelpLink    string         `json:"help_link,omitempty"`
	ExceptionID *int           `json:"exception_id,omitempty"`
	ParentID    *int           `json:"parent_id,omitempty"`
	IsGroup     bool           `json:"is_exception_group,omitempty"`
	Data        map[string]any `json:"data,omitempty"`
}

// Stack is a list of frames, the outermost call first, the crash last.
type Stack struct {
	Frames []Frame `json:"frames"`
	// Omitted is the number of frames cut out before Frames[OmittedAt].
	Omitted   int `json:"omitted,omitempty"`
	OmittedAt int `json:"omitted_at,omitempty"`
}

// Frame is one call. Line and Column count from 1; 0 means unknown.
type Frame struct {
	Filename string `json:"filename,omitempty"`
	AbsPath  string `json:"abs_path,omitempty"`
	Module   string `json:"module,omitempty"`
	Function string `json:"function,omitempty"`
	Package  string `json:"package,omitempty"`
	Platform string `json:"platform,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	// InApp is the client's word, or a guess from the path when it said nothing.
	InApp       bool           `json:"in_app"`
	Context     string         `json:"context,omitempty"`
	PreContext  []string       `json:"pre_context,omitempty"`
	PostContext []string       `json:"post_context,omitempty"`
	Vars        map[string]any `json:"vars,omitempty"`
	Address     string         `json:"instruction_addr,omitempty"`
	Symbol      string         `json:"symbol_addr,omitempty"`
	// Minified is the place before a source map was applied, when one was.
	Minified *MinifiedPlace `json:"minified,omitempty"`
	// Unmapped is the reason why a source map was not applied, as a sentence.
	Unmapped string `json:"unmapped,omitempty"`
}

// MinifiedPlace is where a frame was in the bundle that the browser ran.
type MinifiedPlace struct {
	Filename string `json:"filename,omitempty"`
	AbsPath  string `json:"abs_path,omitempty"`
	Function string `json:"function,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
}

// Thread is one thread of the process when the event happened.
type Thread struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	State   string `json:"state,omitempty"`
	Crashed bool   `json:"crashed,omitempty"`
	Current bool   `json:"current,omitempty"`
	Stack   *Stack `json:"stack,omitempty"`
}

// Breadcrumb is something that happened before the event.
type Breadcrumb struct {
	Timestamp time.Time      `json:"timestamp,omitzero"`
	Type      string         `json:"type,omitempty"`
	Category  string         `json:"category,omitempty"`
	Level     string         `json:"level,omitempty"`
	Message   string         `json:"message,omitempty"`
	EventID   string         `json:"event_id,omitempty"`
	Data      map[string]any `json:"data,omitempty"`
}

// SDK is the client that sent.
type SDK struct {
	Name         string   `json:"name,omitempty"`
	Version      string   `json:"version,omitempty"`
	Integrations []string `json:"integrations,omitempty"`
	Packages     []string `json:"packages,omitempty"`
}

// DebugImage is a loaded library, or the source map of a loaded script.
type DebugImage struct {
	Type      string `json:"type,omitempty"`
	CodeFile  string `json:"code_file,omitempty"`
	DebugFile string `json:"debug_file,omitempty"`
	// DebugID is a UUID in lower case with dashes where it can be read as one.
	DebugID string `json:"debug_id,omitempty"`
	CodeID  string `json:"code_id,omitempty"`
	Arch    string `json:"arch,omitempty"`
	Address string `json:"image_addr,omitempty"`
	Size    int64  `json:"image_size,omitempty"`
}
