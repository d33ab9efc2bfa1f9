package resource

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// registryType follows an image in a registry, or in an OCI layout on this machine's
// disk. Its calls to the registry come from this process, through Options.Dial.
type registryType struct{ opts Options }

type registrySource struct {
	repository, tag    string
	variant            string
	preReleases        bool
	username, password string
	insecure           bool
	certificates       []string
	platform           v1.Platform
	layout             string // resolved folder of an OCI layout
	constraint         *constraint
	pattern            *regexp.Regexp // of tags, in the registry's order
}

func (t registryType) source(req Request) (registrySource, error) {
	f := sourceOf(req)
	s := registrySource{
		tag: f.text("tag"), variant: f.text("variant"), preReleases: f.boolean("pre_releases"),
		username: f.text("username"), password: f.text("password"),
		insecure: f.boolean("insecure"), certificates: f.texts("ca_certs"),
		platform: v1.Platform{OS: "linux", Architecture: goruntime.GOARCH},
	}
	if p := f.object("platform"); p != nil {
		platform := fields{where: "source.platform", values: p}
		s.platform.OS = cmp.Or(platform.text("os"), s.platform.OS)
		s.platform.Architecture = cmp.Or(platform.text("architecture"), s.platform.Architecture)
		if platform.err != nil {
			return s, platform.err
		}
	}
	f.refuse("aws_access_key_id", "aws_secret_access_key", "aws_region", "content_trust", "created_at_sort")
	s.readTags(f)
	if layout := f.text("layout"); layout != "" {
		s.repository = layout
		var err error
		if s.layout, err = below(t.opts.LocalRepositories, layout); err != nil && f.err == nil {
			f.err = fmt.Errorf("source.layout: %w", err)
		}
		return s, f.err
	}
	s.repository = f.required("repository")
	// A tag or digest written into the repository is what docker users expect to work.
	if base, digest, ok := strings.Cut(s.repository, "@"); ok {
		f.fail("repository", fmt.Sprintf("has a digest. Write repository: %s and pin the version %s.", base, digest))
	}
	if slash, colon := strings.LastIndexByte(s.repository, '/'), strings.LastIndexByte(s.repository, ':'); colon > slash && s.tag == "" {
		s.repository, s.tag = s.repository[:colon], s.repository[colon+1:]
	}
	if f.err == nil {
		if _, err := s.name(); err != nil {
			f.fail("repository", fmt.Sprintf("%q is not the name of a repository (%v). Correct it in the pipeline.", s.repository, err))
		}
	}
	return s, f.err
}

// readTags reads what chooses among several tags.
func (s *registrySource) readTags(f *fields) {
	condition, pattern := f.text("semver_constraint"), f.text("tag_regex")
	if pattern != "" && (s.tag != "" || condition != "" || s.variant != "") {
		f.fail("tag_regex", "excludes source.tag, source.variant and source.semver_constraint. Keep one.")
	}
	if condition != "" && s.tag != "" {
		f.fail("semver_constraint", "and source.tag exclude each other. Remove one.")
	}
	if condition != "" {
		c, err := parseConstraint(condition)
		if err != nil {
			f.fail("semver_constraint", err.Error()+".")
		}
		s.constraint = &c
	}
	if pattern != "" {
		var err error
		if s.pattern, err = regexp.Compile(pattern); err != nil {
			f.fail("tag_regex", fmt.Sprintf("is not a regular expression (%v). Correct it in the pipeline.", err))
		}
	}
}

func (s registrySource) name() (name.Repository, error) {
	var opts []name.Option
	if s.insecure {
		opts = append(opts, name.Insecure)
	}
	return name.NewRepository(s.repository, opts...)
}

// client is a connection to the source's registry; call done when it is not needed.
func (t registryType) client(ctx context.Context, s registrySource) (opts []remote.Option, done func(), err error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, pem := range s.certificates {
		if !pool.AppendCertsFromPEM([]byte(pem)) {
			return nil, nil, errors.New("source.ca_certs holds something that is not a certificate in PEM. Correct it in the pipeline")
		}
	}
	connection := &http.Transport{
		DialContext:           t.opts.Dial,
		TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure}, //nolint:gosec // the pipeline asks for it
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
	}
	auth := authn.Anonymous
	if s.username != "" || s.password != "" {
		auth = &authn.Basic{Username: s.username, Password: s.password}
	}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithTransport(connection), remote.WithAuth(auth),
		remote.WithPlatform(s.platform), remote.WithUserAgent("signalbox"),
	}, connection.CloseIdleConnections, nil
}

// Check asks for the digest of the tag; without a tag for the newest release.
func (t registryType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := t.source(req)
	if err != nil {
		return nil, err
	}
	if s.layout != "" {
		found, err := layoutDigest(s)
		if err != nil {
			return nil, failed(ctx, req, "check", err)
		}
		return addVersion(req.Version, found), nil
	}
	opts, done, err := t.client(ctx, s)
	if err != nil {
		return nil, err
	}
	defer done()
	versions, err := s.check(req.Version, opts)
	if err != nil {
		return nil, failed(ctx, req, "check", remoteWords(err))
	}
	return versions, nil
}

func (s registrySource) check(known Version, opts []remote.Option) ([]Version, error) {
	repository, err := s.name()
	if err != nil {
		return nil, err
	}
	if s.tag == "" {
		releases, err := s.releases(repository, opts)
		if err != nil {
			return nil, err
		}
		if len(releases) > 0 {
			return releaseVersions(repository, releases, known, opts)
		}
		if s.constraint != nil || s.pattern != nil { // then no other tag will do
			return []Version{}, nil
		}
	}
	found, err := tagVersion(repository, s.wantedTag(), opts)
	if err != nil {
		return nil, err
	}
	return addVersion(known, found), nil
}

// wantedTag is the tag to follow when there are no releases.
func (s registrySource) wantedTag() string {
	return cmp.Or(s.tag, s.variant, "latest")
}

func tagVersion(repository name.Repository, tag string, opts []remote.Option) (Version, error) {
	head, err := remote.Head(repository.Tag(tag), opts...)
	if err != nil {
		return nil, err
	}
	return Version{"tag": tag, "digest": head.Digest.String()}, nil
}

// addVersion puts the known version before a different one that was found.
func addVersion(known, found Version) []Version {
	switch {
	case known == nil:
		return []Version{found}
	case known["digest"] == found["digest"]:
		return []Version{known}
	}
	return []Version{known, found}
}

// release is a tag that is a semantic version.
type release struct {
	tag    string
	parts  [3]int
	suffix string // of a pre-release
}

var releaseTag = regexp.MustCompile(`^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-(.+))?$`)

// releases lists the tags that are versions (of the variant), oldest first. A registry
// that does not list tags has none.
func (s registrySource) releases(repository name.Repository, opts []remote.Option) ([]release, error) {
	tags, err := remote.List(repository, opts...)
	var answer *transport.Error
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusMethodNotAllowed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []release
	for _, tag := range tags {
		if s.pattern != nil {
			if s.pattern.MatchString(tag) {
				out = append(out, release{tag: tag})
			}
			continue
		}
		m := releaseTag.FindStringSubmatch(tag)
		if m == nil {
			continue
		}
		suffix := m[4]
		if s.variant != "" {
			rest, ok := strings.CutSuffix("-"+suffix, "-"+s.variant)
			if !ok {
				continue
			}
			suffix = strings.TrimPrefix(rest, "-")
		}
		if suffix != "" && (!s.preReleases || !preRelease.MatchString(suffix)) {
			continue
		}
		r := release{tag: tag, suffix: suffix}
		for i := range r.parts {
			if r.parts[i], err = strconv.Atoi(m[i+1]); err != nil {
				return nil, err
			}
		}
		if s.allows(r) {
			out = append(out, r)
		}
	}
	if s.pattern == nil {
		slices.SortFunc(out, compareReleases)
	}
	return out, nil
}

func (s registrySource) allows(r release) bool {
	if s.constraint == nil {
		return true
	}
	n := number{}
	for _, part := range r.parts {
		n.parts = append(n.parts, strconv.Itoa(part))
	}
	// Candidates were asked for if they are here at all.
	candidate := n
	if r.suffix != "" {
		candidate.pre = strings.Split(r.suffix, ".")
	}
	return s.constraint.allows(n) || s.constraint.allows(candidate)
}

// preRelease is what may follow a version without being a variant of the image.
var preRelease = regexp.MustCompile(`^(alpha|beta|rc)(\.?\d+)?$`)

func compareReleases(a, b release) int {
	if c := slices.Compare(a.parts[:], b.parts[:]); c != 0 || a.suffix == b.suffix {
		return c
	}
	if a.suffix == "" || b.suffix == "" {
		return cmp.Compare(b.suffix, a.suffix) // the release comes after its candidates
	}
	return cmp.Compare(a.suffix, b.suffix)
}

// releaseVersions are the releases from the known one on.
func releaseVersions(repository name.Repository, releases []release, known Version, opts []remote.Option) ([]Version, error) {
	from := slices.IndexFunc(releases, func(r release) bool { return r.tag == known["tag"] })
	if from < 0 {
		from = len(releases) - 1
	}
	versions := []Version{}
	for _, r := range releases[from:] {
		v, err := tagVersion(repository, r.tag, opts)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// remoteWords is a registry's own explanation without the address, which may hold a
// token, and with the status when it explains nothing.
func remoteWords(err error) error {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return err
	}
	var words []string
	for _, d := range answer.Errors {
		words = append(words, strings.TrimSuffix(strings.TrimSpace(d.String()), ";"))
	}
	status := fmt.Sprintf("the registry answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	if len(words) == 0 {
		return errors.New(status)
	}
	return fmt.Errorf("%s: %s", status, strings.Join(words, "; "))
}
