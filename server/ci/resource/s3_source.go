package resource

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucketSource is where a bucket is; the types s3 and semver have it in common.
type bucketSource struct {
	bucket, region       string
	host                 string
	secure, insecure     bool
	pathStyle            bool
	oldSigning           bool
	key, secret, session string
	certificates         []string
}

func readBucket(f *fields) bucketSource {
	s := bucketSource{
		bucket: f.required("bucket"), region: cmp.Or(f.text("region_name"), f.text("region"), "us-east-1"),
		secure: !f.boolean("disable_ssl"), insecure: f.boolean("skip_ssl_verification"),
		pathStyle: f.boolean("use_path_style"), oldSigning: f.boolean("use_v2_signing"),
		key: f.text("access_key_id"), secret: f.text("secret_access_key"), session: f.text("session_token"),
		certificates: f.texts("ca_certs"),
	}
	if (s.key == "") != (s.secret == "") {
		f.fail("access_key_id", "and source.secret_access_key go together. Add the missing one.")
	}
	// This server's own rights in a cloud are not the pipelines'.
	f.refuse("aws_role_arn", "cloudfront_url", "enable_aws_creds_provider")
	endpoint := f.text("endpoint")
	if endpoint == "" {
		s.host = "s3.amazonaws.com"
		return s
	}
	if !strings.Contains(endpoint, "://") {
		endpoint = map[bool]string{true: "https://", false: "http://"}[s.secure] + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		f.fail("endpoint", "is not the address of an S3 service. Write it like https://s3.example.com:9000.")
		return s
	}
	s.host, s.secure = u.Host, u.Scheme == "https"
	return s
}

// bucket is a connection to one bucket; done gives its connections back.
type bucket struct {
	*minio.Client
	name    string
	secrets []string
	done    func()
}

func (o Options) bucket(req Request, s bucketSource) (bucket, error) {
	connection, err := o.transport(s.insecure, s.certificates)
	if err != nil {
		return bucket{}, err
	}
	lookup := minio.BucketLookupAuto
	if s.pathStyle {
		lookup = minio.BucketLookupPath
	}
	keys := credentials.NewStaticV4(s.key, s.secret, s.session)
	if s.oldSigning {
		keys = credentials.NewStaticV2(s.key, s.secret, s.session)
	}
	client, err := minio.New(s.host, &minio.Options{
		Creds: keys, Secure: s.secure, Region: s.region, BucketLookup: lookup, MaxRetries: 4,
		Transport: &patient{next: connection, opts: o, req: req},
	})
	if err != nil {
		return bucket{}, fmt.Errorf("source.endpoint: %w", err)
	}
	return bucket{Client: client, name: s.bucket, secrets: []string{s.secret, s.session}, done: connection.CloseIdleConnections}, nil
}

// patient waits as long as a busy service asks, within bounds, before the client, which
// does not look at Retry-After, tries again.
type patient struct {
	next http.RoundTripper
	opts Options
	req  Request
}

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.next.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return response, err
	}
	asked, known := retryAfter(response.Header, p.opts.now())
	if known && asked <= webPatience/4 {
		_, err = fmt.Fprintf(p.req.Log, "the bucket's service answered %d; waiting %s\n", response.StatusCode, asked.Round(time.Second))
		if err == nil {
			err = p.opts.sleep(r.Context(), asked)
		}
	}
	if err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// failed is the service's own explanation, as a script's failure.
func (b bucket) failed(ctx context.Context, req Request, script string, err error) error {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		words := strings.TrimSpace(answer.Code + " " + oneLine(answer.Message))
		err = fmt.Errorf("the bucket %s: %s", b.name, words)
	} else {
		err = withoutURL(err)
	}
	if text := redact(err.Error(), b.secrets); text != err.Error() {
		err = errors.New(text)
	}
	return failed(ctx, req, script, err)
}

func missingObject(err error) bool {
	code := minio.ToErrorResponse(err).Code
	return code == minio.NoSuchKey || code == "NoSuchVersion" || code == "NotFound"
}

// s3Source is an s3 resource's source.
type s3Source struct {
	bucketSource
	pattern        *regexp.Regexp
	text           string // of the pattern
	file           string // versioned_file
	private        bool
	skip           bool
	anyETag        bool
	encryption     string
	encryptionKey  string
	single         bool // no upload in parts
	initial        string
	initialContent []byte
}

func readS3Source(req Request) (s3Source, error) {
	f := sourceOf(req)
	s := s3Source{
		bucketSource: readBucket(f), text: f.text("regexp"), file: strings.TrimPrefix(f.text("versioned_file"), "/"),
		private: f.boolean("private"), skip: f.boolean("skip_download"), anyETag: !f.boolOr("verify_etag", true),
		encryption: f.text("server_side_encryption"), encryptionKey: f.text("sse_kms_key_id"), single: f.boolean("disable_multipart"),
	}
	switch {
	case (s.text == "") == (s.file == ""):
		f.fail("regexp", "or source.versioned_file must be there, and not both. Correct it in the pipeline.")
	case s.text != "":
		s.compile(f)
	}
	switch s.encryption {
	case "", "AES256", "aws:kms":
	default:
		f.fail("server_side_encryption", "must be AES256 or aws:kms. Correct it in the pipeline.")
	}
	s.readInitial(f)
	return s, f.err
}

func (s *s3Source) compile(f *fields) {
	var err error
	if s.pattern, err = regexp.Compile("^(?:" + s.text + ")$"); err != nil {
		f.fail("regexp", fmt.Sprintf("is not a regular expression (%v). Correct it in the pipeline.", err))
		return
	}
	if s.pattern.NumSubexp() == 0 {
		f.fail("regexp", "has no group for the version. Put parentheses around it, like release-(.*).tgz.")
	}
}

func (s *s3Source) readInitial(f *fields) {
	name, version := f.text("initial_path"), f.text("initial_version")
	switch {
	case name != "" && s.text == "":
		f.fail("initial_path", "goes with source.regexp. Write source.initial_version instead.")
	case version != "" && s.file == "":
		f.fail("initial_version", "goes with source.versioned_file. Write source.initial_path instead.")
	case name != "" && s.pattern != nil:
		if _, _, ok := s.extract(name); !ok {
			f.fail("initial_path", "does not match source.regexp. Correct one of them.")
		}
	}
	s.initial = cmp.Or(name, version)
	s.initialContent = []byte(f.text("initial_content_text"))
	if binary := f.text("initial_content_binary"); binary != "" {
		data, err := base64.StdEncoding.DecodeString(binary)
		if err != nil {
			f.fail("initial_content_binary", "is not base64. Correct it in the pipeline.")
		}
		if len(s.initialContent) > 0 {
			f.fail("initial_content_binary", "and source.initial_content_text exclude each other. Remove one.")
		}
		s.initialContent = data
	}
}

// extract finds the version in an object's name: in the group called version, or else
// in the first.
func (s s3Source) extract(key string) (text string, n number, ok bool) {
	m := s.pattern.FindStringSubmatch(key)
	if m == nil {
		return "", number{}, false
	}
	group := max(s.pattern.SubexpIndex("version"), 1)
	n, ok = parseNumber(m[group])
	return m[group], n, ok
}

// literal splits off the beginning of the pattern that every name has.
func (s s3Source) literal() string {
	parsed, err := syntax.Parse(s.text, syntax.Perl)
	if err != nil {
		return ""
	}
	parsed = parsed.Simplify()
	if parsed.Op == syntax.OpConcat && len(parsed.Sub) > 0 {
		parsed = parsed.Sub[0]
	}
	if parsed.Op != syntax.OpLiteral || parsed.Flags&syntax.FoldCase != 0 {
		return ""
	}
	return string(parsed.Rune)
}

// folder is where put uploads to: the pattern's part before the last slash, which must
// be plain text.
func (s s3Source) folder() (string, error) {
	at := strings.LastIndexByte(s.text, '/')
	if at < 0 {
		return "", nil
	}
	prefix := s.literal()
	plain := regexp.MustCompile(`\\(.)`).ReplaceAllString(s.text[:at+1], "$1")
	if !strings.HasPrefix(prefix, plain) {
		return "", errors.New("source.regexp has a pattern in its folders, so it is not known where to upload to. Put the pattern after the last slash")
	}
	return path.Clean("/" + plain)[1:] + "/", nil
}
