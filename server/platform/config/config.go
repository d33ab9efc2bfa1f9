// Package config is the one reader of the environment and of the configuration
// file. Every key stands once in Keys, from which the file is checked, the
// environment is read and the documentation is printed.
package config

import (
	"errors"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Config is all that can be set, a section per part; app hands each part its own.
type Config struct {
	// DataDir holds everything the server keeps on disk.
	DataDir  string   `koanf:"-"`
	Server   Server   `koanf:"server"`
	Database Database `koanf:"database"`
	Secrets  Secrets  `koanf:"secrets"`
	Blobs    Blobs    `koanf:"blobs"`
	Outbound Outbound `koanf:"outbound"`
	SMTP     SMTP     `koanf:"smtp"`
	Admin    Admin    `koanf:"admin"`
	Log      Log      `koanf:"log"`
	CI       CI       `koanf:"ci"`
	Issues   Issues   `koanf:"issues"`
	Logs     Logs     `koanf:"logs"`
	Edge     Edge     `koanf:"edge"`
	Backup   Backup   `koanf:"backup"`
	Accounts Accounts `koanf:"accounts"`

	Telemetry Telemetry `koanf:"telemetry"`

	Assistant Assistant `koanf:"assistant"`
}

// Server is how the outside reaches us.
type Server struct {
	Listen         string   `koanf:"listen"`
	PublicURL      string   `koanf:"public_url"`
	TLSCert        string   `koanf:"tls_cert"`
	TLSKey         string   `koanf:"tls_key"`
	TrustedProxies []string `koanf:"trusted_proxies"`
	MetricsListen  string   `koanf:"metrics_listen"`
	NodeURL        string   `koanf:"node_url"`
	MemoryLimitMB  int      `koanf:"memory_limit_mb"`
}

// Database is where state lives.
type Database struct {
	URL string `koanf:"url"`
}

// Secrets is where the key that encrypts secrets lives.
type Secrets struct {
	KeyFile string `koanf:"key_file"`
}

// Blobs is where large things live; a folder when no endpoint is set.
type Blobs struct {
	Folder      string `koanf:"folder"`
	S3Endpoint  string `koanf:"s3_endpoint"`
	S3Bucket    string `koanf:"s3_bucket"`
	S3Region    string `koanf:"s3_region"`
	S3AccessKey string `koanf:"s3_access_key"`
	S3SecretKey string `koanf:"s3_secret_key"`
	TeamQuotaMB int    `koanf:"team_quota_mb"`
}

func (b Blobs) check() error {
	if b.TeamQuotaMB < 0 {
		return fmt.Errorf("blobs.team_quota_mb: %d is not a number of MB, or 0", b.TeamQuotaMB)
	}
	return nil
}

// Outbound is what our own calls may reach besides public addresses.
type Outbound struct {
	Allow []string `koanf:"allow"`
}

// SMTP is the server that takes our mail; none when the host is empty.
type SMTP struct {
	Host     string `koanf:"host"`
	Port     int    `koanf:"port"`
	User     string `koanf:"user"`
	Password string `koanf:"password"`
	From     string `koanf:"from"`
	TLS      string `koanf:"tls"`
}

// Admin is the first administrator, used only while none exists.
type Admin struct {
	User     string `koanf:"user"`
	Password string `koanf:"password"`
}

// Log is about the server's own log.
type Log struct {
	Level string `koanf:"level"`
}

// CI is about pipelines.
type CI struct {
	HostImage         bool     `koanf:"host_image"`
	LocalRepositories []string `koanf:"local_repositories"`
	MaxContainers     int      `koanf:"max_containers"`
	WorkerTags        []string `koanf:"worker_tags"`
	CheckInterval     string   `koanf:"check_interval"`
	DiskLimit         string   `koanf:"disk_limit"`
}

// Issues is about errors that programs report.
type Issues struct {
	MaxRequestMB    int `koanf:"max_request_mb"`
	MaxDecodedMB    int `koanf:"max_decoded_mb"`
	MaxEventKB      int `koanf:"max_event_kb"`
	MaxAttachmentMB int `koanf:"max_attachment_mb"`
	SpoolMB         int `koanf:"spool_mb"`
	RetentionDays   int `koanf:"retention_days"`
	RetentionEvents int `koanf:"retention_events"`
	RetentionMB     int `koanf:"retention_mb"`
}

// check refuses limits that would let nothing in.
func (i Issues) check() error {
	for name, value := range map[string]int{"max_request_mb": i.MaxRequestMB, "max_decoded_mb": i.MaxDecodedMB, "max_event_kb": i.MaxEventKB,
		"max_attachment_mb": i.MaxAttachmentMB, "spool_mb": i.SpoolMB, "retention_days": i.RetentionDays, "retention_events": i.RetentionEvents, "retention_mb": i.RetentionMB} {
		if value < 1 {
			return fmt.Errorf("issues.%s: %d is not a positive number", name, value)
		}
	}
	return nil
}

// Logs is about log lines.
type Logs struct {
	MemoryMB      int `koanf:"memory_mb"`
	MaxRequestMB  int `koanf:"max_request_mb"`
	MaxDecodedMB  int `koanf:"max_decoded_mb"`
	RetentionDays int `koanf:"retention_days"`
	RetentionMB   int `koanf:"retention_mb"`
	MinFreeMB     int `koanf:"min_free_mb"`

	SyslogListen    string `koanf:"syslog_listen"`
	SyslogTLSListen string `koanf:"syslog_tls_listen"`
	SyslogTeam      string `koanf:"syslog_team"`
	FluentListen    string `koanf:"fluent_listen"`
	FluentTeam      string `koanf:"fluent_team"`
	FluentSharedKey string `koanf:"fluent_shared_key"`
	OTLPGRPCListen  string `koanf:"otlp_grpc_listen"`

	Builds     bool `koanf:"builds"`
	Deliveries bool `koanf:"deliveries"`
	Own        bool `koanf:"own"`
}

func (l Logs) check() error {
	for name, value := range map[string]int{"max_request_mb": l.MaxRequestMB, "max_decoded_mb": l.MaxDecodedMB, "retention_days": l.RetentionDays, "retention_mb": l.RetentionMB, "min_free_mb": l.MinFreeMB} {
		if value < 1 {
			return fmt.Errorf("logs.%s: %d is not a positive number", name, value)
		}
	}
	if l.MemoryMB < 0 {
		return fmt.Errorf("logs.memory_mb: %d is not a number of MB, or 0", l.MemoryMB)
	}
	return nil
}

// Edge is about the fleet.
type Edge struct {
	CheckInSeconds int `koanf:"checkin_seconds"`
	ServerKBps     int `koanf:"server_kbps"`
	SiteKBps       int `koanf:"site_kbps"`
	NodeKBps       int `koanf:"node_kbps"`
	MaxBundleMB    int `koanf:"max_bundle_mb"`
	TimestampDays  int `koanf:"timestamp_days"`
	// AgentDir is where agents' programs lie.
	AgentDir string `koanf:"agent_dir"`
}

func (e Edge) check() error {
	if e.CheckInSeconds < 10 || e.CheckInSeconds > 24*3600 {
		return fmt.Errorf("edge.checkin_seconds: %d is not between 10 and 86400", e.CheckInSeconds)
	}
	for name, value := range map[string]int{"server_kbps": e.ServerKBps, "site_kbps": e.SiteKBps, "node_kbps": e.NodeKBps} {
		if value < 0 {
			return fmt.Errorf("edge.%s: %d is not a number of kilobytes a second, or 0", name, value)
		}
	}
	for name, value := range map[string]int{"max_bundle_mb": e.MaxBundleMB, "timestamp_days": e.TimestampDays} {
		if value < 1 {
			return fmt.Errorf("edge.%s: %d is not a positive number", name, value)
		}
	}
	return nil
}

// Backup is about archives of everything; a person may set another schedule on the page.
type Backup struct {
	Folder          string `koanf:"folder"`
	EveryHours      int    `koanf:"every_hours"`
	At              string `koanf:"at"`
	Keep            int    `koanf:"keep"`
	Rehearse        bool   `koanf:"rehearse"`
	BeforeMigration bool   `koanf:"before_migration"`
	S3Endpoint      string `koanf:"s3_endpoint"`
	S3Bucket        string `koanf:"s3_bucket"`
	S3Region        string `koanf:"s3_region"`
	S3AccessKey     string `koanf:"s3_access_key"`
	S3SecretKey     string `koanf:"s3_secret_key"`
	S3Prefix        string `koanf:"s3_prefix"`
}

// AtMinute is the minute of the day that At names.
func (b Backup) AtMinute() int {
	at, err := time.Parse("15:04", b.At)
	if err != nil {
		return 0 // check has refused it
	}
	return at.Hour()*60 + at.Minute()
}

func (b Backup) check() error {
	if b.EveryHours < 0 || b.EveryHours > 168 {
		return fmt.Errorf("backup.every_hours: %d is not between 0, which is never, and 168, which is weekly", b.EveryHours)
	}
	if b.Keep < 1 {
		return fmt.Errorf("backup.keep: %d is not a positive number", b.Keep)
	}
	if _, err := time.Parse("15:04", b.At); err != nil {
		return fmt.Errorf("backup.at: %q is no time of day such as 02:30", b.At)
	}
	return nil
}

// Accounts is about users and what is known of their doings.
type Accounts struct {
	AuditRetentionDays int `koanf:"audit_retention_days"`
}

func (a Accounts) check() error {
	if a.AuditRetentionDays < 0 {
		return fmt.Errorf("accounts.audit_retention_days: %d is not a number of days, or 0", a.AuditRetentionDays)
	}
	return nil
}

// Telemetry is where traces of the server's own doings go; none are made while there is no endpoint.
type Telemetry struct {
	Endpoint string   `koanf:"endpoint"`
	Headers  []string `koanf:"headers"`
	// Sample is the share of traces that are kept.
	Sample float64 `koanf:"sample"`
}

func (t Telemetry) check() error {
	if !(t.Sample >= 0 && t.Sample <= 1) {
		return fmt.Errorf("telemetry.sample: %v is not a share between 0 and 1", t.Sample)
	}
	return nil
}

// Assistant is about who answers questions.
type Assistant struct {
	Planner       string `koanf:"planner"`
	ModelProvider string `koanf:"model_provider"`
	ModelName     string `koanf:"model_name"`
	ModelURL      string `koanf:"model_url"`
	ModelKey      string `koanf:"model_key"`
	ModelRegion   string `koanf:"model_region"`
	ModelSecret   string `koanf:"model_secret"`
	// ModelPriceIn and ModelPriceOut are dollars for a million tokens.
	ModelPriceIn  float64 `koanf:"model_price_in"`
	ModelPriceOut float64 `koanf:"model_price_out"`
	SlackURL      string  `koanf:"slack_url"`
}

func (a Assistant) check() error {
	if !slices.Contains([]string{"plan", "model", "hybrid"}, a.Planner) {
		return fmt.Errorf("assistant.planner: %q is none of plan, model and hybrid", a.Planner)
	}
	if !slices.Contains([]string{"", "anthropic", "bedrock", "openai"}, a.ModelProvider) {
		return fmt.Errorf("assistant.model_provider: %q is none of anthropic, bedrock and openai; the last is for all that speak chat completions", a.ModelProvider)
	}
	if a.ModelProvider != "" && a.ModelName == "" {
		return errors.New("assistant.model_name: name the model that assistant.model_provider is to answer with")
	}
	if a.ModelProvider == "" && a.Planner == "model" {
		return errors.New("assistant.model_provider: assistant.planner is model, and no provider is named")
	}
	return nil
}

// Key is one line of the table of keys.
type Key struct {
	// Name is "section.key", as in the file.
	Name string
	// Default is used when neither file nor environment sets it.
	Default any
	Meaning string
}

// Keys is every key there is.
var Keys = []Key{
	{"server.listen", ":8080", "Address of the one HTTP port."},
	{"server.public_url", "", "Address under which people and GitHub reach this server, such as https://signalbox.example.com. Empty: http://localhost and the port."},
	{"server.tls_cert", "", "PEM file of the certificate; with tls_key the server speaks HTTPS itself."},
	{"server.tls_key", "", "PEM file of the certificate's key."},
	{"server.trusted_proxies", []string{}, "Addresses or CIDRs of proxies whose X-Forwarded-For is believed."},
	{"server.metrics_listen", "", "A second address that serves /metrics without a token, for a monitoring network."},
	{"server.node_url", "", "Address at which other servers on the same PostgreSQL reach this one, such as http://10.0.0.5:8080. Empty: the address of this machine from which PostgreSQL is reached, and the port of server.listen."},
	{"server.memory_limit_mb", 0, "What the server tries not to exceed, by collecting garbage sooner. 0: nine tenths of what the machine or its cgroup has, or what GOMEMLIMIT says."},
	{"database.url", "", "postgres://… for PostgreSQL. Empty: SQLite in the data folder."},
	{"secrets.key_file", "", "File with the key that encrypts secrets. Empty: secrets.key in the data folder. Back it up apart from the database."},
	{"blobs.folder", "", "Folder for blobs where there is no S3. Empty: blobs in the data folder. Several servers need a folder that they share, or S3."},
	{"blobs.s3_endpoint", "", "S3 endpoint (host, or http(s)://host:port) for blobs. Empty: the data folder."},
	{"blobs.s3_bucket", "signalbox", "Bucket for blobs; it must exist."},
	{"blobs.s3_region", "us-east-1", "Region of the bucket."},
	{"blobs.s3_access_key", "", "Access key for S3."},
	{"blobs.s3_secret_key", "", "Secret key for S3."},
	{"blobs.team_quota_mb", 0, "How many MB a team's stored files (artifacts, attachments, source maps, bundles) may take together. 0: as the disk allows. Log lines have logs.retention_mb, events issues.retention_mb."},
	{"backup.folder", "", "Folder for backups. Empty: backups in the data folder; another disk is better."},
	{"backup.every_hours", 0, "How often a backup is made: 24 is daily, 168 weekly, 0 never. The page of backups changes it, and then holds."},
	{"backup.at", "02:30", "Time of day, UTC, that the hours are counted from; weekly backups are made on Mondays."},
	{"backup.keep", 7, "How many backups of the schedule are kept."},
	{"backup.rehearse", false, "Whether each backup of the schedule is restored into a scratch place at once, to see that it can be."},
	{"backup.before_migration", true, "Whether the database is saved before a new version changes its schema."},
	{"backup.s3_endpoint", "", "S3 endpoint that backups are brought to, instead of keeping them in the folder. Empty: the folder."},
	{"backup.s3_bucket", "signalbox-backups", "Bucket for backups; it must exist."},
	{"backup.s3_region", "us-east-1", "Region of that bucket."},
	{"backup.s3_access_key", "", "Access key for that bucket."},
	{"backup.s3_secret_key", "", "Secret key for that bucket."},
	{"backup.s3_prefix", "", "What the names of backups in the bucket begin with."},
	{"accounts.audit_retention_days", 400, "How long entries of the audit log are kept. 0: for ever."},
	{"outbound.allow", []string{}, "Private hosts, addresses or CIDRs (each with an optional :port) that outgoing calls and tasks may reach."},
	{"smtp.host", "", "Server that takes our mail. Empty: no mail is sent. A private address must be in outbound.allow."},
	{"smtp.port", 587, "Port of the mail server."},
	{"smtp.user", "", "User at the mail server. Empty: mail is sent without signing in."},
	{"smtp.password", "", "Password at the mail server."},
	{"smtp.from", "", "Address that mail comes from, such as Signalbox <ci@example.com>."},
	{"smtp.tls", "starttls", "starttls, tls (from the first byte, usually port 465) or none."},
	{"admin.user", "admin", "Name of the first administrator, while none exists."},
	{"admin.password", "", "Password of the first administrator. Empty: generated and printed once."},
	{"log.level", "info", "debug, info, warn or error."},
	{"telemetry.endpoint", "", "OpenTelemetry collector that gets traces of requests, jobs and builds as OTLP over HTTP in JSON, such as http://127.0.0.1:4318; a private address needs no outbound.allow. Empty: OTEL_EXPORTER_OTLP_ENDPOINT, and no traces where that is empty too."},
	{"telemetry.headers", []string{}, "Headers for the collector, each Name=value, such as Authorization=Bearer abc."},
	{"telemetry.sample", 1.0, "Share of traces that are kept, from 0 to 1, where the caller's traceparent has not decided already."},
	{"ci.host_image", true, "Whether tasks may run on the built-in image host, a read-only view of this machine's programs."},
	{"ci.local_repositories", []string{}, "Folders below which file:// repositories and OCI layouts on this machine's disk may be used."},
	{"ci.max_containers", 32, "How many containers run at once; further steps wait."},
	{"ci.worker_tags", []string{}, "Tags of this server's worker; a step whose tags it lacks is errored. * stands for any."},
	{"ci.disk_limit", "", "How full the worker's disk may get before caches are given up and new steps wait: a number of bytes, or a share such as 80%. Empty: a tenth of the disk stays free, at most 1 GB."},
	{"ci.check_interval", "1m", "How often a resource is checked that says nothing else."},
	{"issues.max_request_mb", 20, "Largest request of an error client, as it travels."},
	{"issues.max_decoded_mb", 100, "Largest request of an error client, decompressed."},
	{"issues.max_event_kb", 1024, "Largest event or other JSON item."},
	{"issues.max_attachment_mb", 100, "Largest attachment, and all of a request together."},
	{"issues.spool_mb", 1024, "How much may wait for digestion; beyond it clients are told to come back."},
	{"issues.retention_days", 90, "How long a project keeps events that sets nothing else."},
	{"issues.retention_events", 1000000, "How many events a project keeps that sets nothing else."},
	{"issues.retention_mb", 10240, "How many MB of events a project keeps that sets nothing else."},
	{"logs.memory_mb", 0, "Memory budget of the log store. 0: a quarter of what the machine or its cgroup has, 1024 at most."},
	{"logs.max_request_mb", 16, "Largest request of a log shipper, as it travels."},
	{"logs.max_decoded_mb", 64, "Largest request of a log shipper, decompressed."},
	{"logs.retention_days", 30, "How long lines are kept, unless a team has said otherwise."},
	{"logs.retention_mb", 20480, "How many MB on disk a team's lines may take; beyond it the oldest days go."},
	{"logs.min_free_mb", 512, "Intake answers 503 while the disk has less free; search goes on."},
	{"logs.syslog_listen", "", "Address for syslog over UDP and TCP, such as :514. Syslog knows no tokens: whoever reaches it may write. Empty: none."},
	{"logs.syslog_tls_listen", "", "Address for syslog over TLS, such as :6514, with the certificate of server.tls_cert. Empty: none."},
	{"logs.syslog_team", "main", "The team that owns what comes by syslog."},
	{"logs.fluent_listen", "", "Address for Fluent Forward, such as :24224. Empty: none."},
	{"logs.fluent_team", "main", "The team that owns what comes by Fluent Forward."},
	{"logs.fluent_shared_key", "", "What clients of Fluent Forward must know. Empty: whoever reaches it may write."},
	{"logs.otlp_grpc_listen", "", "Address for OpenTelemetry's logs over gRPC, such as :4317, with the certificate of server.tls_cert if there is one. Clients send a token as authorization. Empty: none."},
	{"logs.builds", true, "Whether what builds say is kept as log lines too, of the build's team."},
	{"logs.deliveries", true, "Whether each webhook delivery is a log line too, of the hook's team."},
	{"logs.own", true, "Whether this server's own log is kept as lines of team main too."},
	{"edge.checkin_seconds", 300, "How often nodes check in; three missed ones show a node as offline."},
	{"edge.server_kbps", 0, "What all nodes together may fetch, in kilobytes a second. 0: no cap."},
	{"edge.site_kbps", 0, "What the nodes of one site together may fetch, where the site says nothing else. 0: no cap."},
	{"edge.node_kbps", 0, "What one node may fetch. 0: no cap."},
	{"edge.max_bundle_mb", 4096, "Largest patch bundle that can be published."},
	{"assistant.planner", "hybrid", "Who answers: plan (the built-in question grammar alone), model, or hybrid (the grammar where it understands everything, the model otherwise)."},
	{"assistant.model_provider", "", "anthropic, bedrock, or openai, which Ollama, vLLM and llama.cpp speak too. Empty: no model."},
	{"assistant.model_name", "", "What the provider calls the model."},
	{"assistant.model_url", "", "The provider's address where it is not the usual one, such as http://127.0.0.1:11434/v1; a private one must be in outbound.allow."},
	{"assistant.model_key", "", "The provider's key; for bedrock an access key id."},
	{"assistant.model_secret", "", "For bedrock: the secret of that access key."},
	{"assistant.model_price_in", 0.0, "What a million tokens of questions cost, in dollars; budgets count it."},
	{"assistant.model_price_out", 0.0, "What a million tokens of answers cost, in dollars."},
	{"assistant.model_region", "", "For bedrock: the region."},
	{"assistant.slack_url", "", "Where Slack's Web API is, if not at Slack, such as https://slack.com/api/; a private address must be in outbound.allow."},
	{"edge.agent_dir", "", "Folder with the agents' programs that machines fetch: signalbox-agent-linux-amd64, signalbox-agent-linux-arm64. Empty: where the server's program is."},
	{"edge.timestamp_days", 7, "For how long the server's word holds that bundles' metadata is the newest; nodes that staged in time install later too."},
}

// EnvName is the environment variable of a key.
func EnvName(key string) string {
	return "SIGNALBOX_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Load reads defaults, then the file (optional unless named), then the environment.
func Load(dataDir, file string) (Config, error) {
	k := koanf.New(".")
	known := map[string]bool{}
	for _, key := range Keys {
		known[key.Name] = true
		if err := k.Set(key.Name, key.Default); err != nil {
			return Config{}, fmt.Errorf("default of %s: %w", key.Name, err)
		}
	}
	if file != "" {
		if err := loadFile(k, file, known); err != nil {
			return Config{}, err
		}
	}
	for _, key := range Keys {
		value, set := os.LookupEnv(EnvName(key.Name))
		if !set {
			continue
		}
		var v any = value
		if _, list := key.Default.([]string); list {
			v = split(value)
		}
		if err := k.Set(key.Name, v); err != nil {
			return Config{}, fmt.Errorf("%s: %w", EnvName(key.Name), err)
		}
	}
	var c Config
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("the configuration does not fit: %w", err)
	}
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return Config{}, err
	}
	c.DataDir = dir
	return c.complete()
}

func loadFile(k *koanf.Koanf, file string, known map[string]bool) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	f := koanf.New(".")
	if err := f.Load(rawbytes.Provider(raw), yaml.Parser()); err != nil {
		return fmt.Errorf("%s is not YAML: %w", file, err)
	}
	for _, key := range f.Keys() {
		if !known[key] {
			return fmt.Errorf("%s: there is no key %s; `signalbox config` prints them all", file, key)
		}
	}
	return k.Merge(f)
}

func (c Config) complete() (Config, error) {
	if c.Database.URL == "" {
		c.Database.URL = "sqlite:" + filepath.Join(c.DataDir, "signalbox.db")
	}
	if c.Secrets.KeyFile == "" {
		c.Secrets.KeyFile = filepath.Join(c.DataDir, "secrets.key")
	}
	if (c.Server.TLSCert == "") != (c.Server.TLSKey == "") {
		return c, fmt.Errorf("server.tls_cert and server.tls_key go together; only one is set")
	}
	if c.Server.MemoryLimitMB < 0 {
		return c, fmt.Errorf("server.memory_limit_mb: %d is not a number of MB, or 0", c.Server.MemoryLimitMB)
	}
	if err := c.SMTP.check(); err != nil {
		return c, err
	}
	if err := c.Issues.check(); err != nil {
		return c, err
	}
	if err := c.Logs.check(); err != nil {
		return c, err
	}
	if err := c.Edge.check(); err != nil {
		return c, err
	}
	if err := c.Assistant.check(); err != nil {
		return c, err
	}
	if c.Telemetry.Endpoint == "" {
		// What every program that speaks OpenTelemetry is told by.
		c.Telemetry.Endpoint = os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if err := errors.Join(c.Backup.check(), c.Accounts.check(), c.Blobs.check(), c.Telemetry.check()); err != nil {
		return c, err
	}
	if c.Backup.Folder == "" {
		c.Backup.Folder = filepath.Join(c.DataDir, "backups")
	}
	c.Server.PublicURL = strings.TrimRight(c.Server.PublicURL, "/")
	return c, nil
}

func (m SMTP) check() error {
	switch m.TLS {
	case "starttls", "tls", "none":
	default:
		return fmt.Errorf("smtp.tls: %q is none of starttls, tls and none", m.TLS)
	}
	if m.Host == "" {
		return nil
	}
	if m.Port < 1 || m.Port > 65535 {
		return fmt.Errorf("smtp.port: %d is not a port number", m.Port)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		return fmt.Errorf("smtp.from: %q is not a mail address, and smtp.host needs one", m.From)
	}
	return nil
}

func split(list string) []string {
	var out []string
	for _, s := range strings.Split(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Client is how the commands that talk HTTP find the server.
func Client() (url, token string) { return os.Getenv("SIGNALBOX_URL"), os.Getenv("SIGNALBOX_TOKEN") }

// Markdown prints the table of keys.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Key | Environment | Default | Meaning |\n|---|---|---|---|\n")
	for _, k := range Keys {
		value := fmt.Sprint(k.Default)
		if l, ok := k.Default.([]string); ok {
			value = strings.Join(l, ",")
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", k.Name, EnvName(k.Name), value, k.Meaning)
	}
	return b.String()
}
