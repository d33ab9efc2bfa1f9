package edge

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// agentRoutes are what nodes call. They take the raw context: the signature is
// over the bytes of the body, and answers carry the server's clock.
func (s *Service) agentRoutes(r api.Router) {
	signed := api.Foreign("a signature by the node's key")
	r.POST(protocol.PathEnroll, api.Foreign("an enrolment token, and a signature by the new node's key"), s.timed(s.httpEnrol))
	r.POST(protocol.PathCheckIn, signed, s.timed(s.httpCheckIn))
	r.PUT(protocol.PathInventory, signed, s.timed(s.httpInventory))
	r.POST(protocol.PathReports, signed, s.timed(s.httpReports))
	r.POST(protocol.PathRotate, signed, s.timed(s.httpRotate))
	r.GET(protocol.PathMetadata+":file", signed, s.timed(s.httpMetadata))
	r.GET(protocol.PathBundles+":id/manifest.json", signed, s.timed(s.httpManifest))
	r.GET(protocol.PathBlobs+":sha256", signed, s.timed(s.httpBlob))
}

// timed puts the server's clock on every answer and writes errors.
func (s *Service) timed(h func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header(protocol.HeaderTime, strconv.FormatInt(s.millis(), 10))
		if err := h(c); err != nil {
			api.WriteProblem(c, err)
		}
	}
}

// readBody gives a request's body of at most limit bytes.
func readBody(c *gin.Context, limit int64) ([]byte, error) {
	if c.Request.Body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problem.New(problem.TooLarge, "The body is larger than %d bytes.", limit)
	case err != nil:
		return nil, problem.Wrap(err, problem.Invalid, "The body could not be read to its end.")
	}
	return raw, nil
}

// decode reads a message; fields that are unknown are a newer agent's.
func decode(raw []byte, into any) error {
	if !utf8.Valid(raw) {
		return problem.New(problem.Invalid, "The body is not UTF-8.")
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return problem.Wrap(err, problem.Invalid, "The body is not the JSON that is expected here.")
	}
	return nil
}

func unsigned(err error) error {
	if errors.Is(err, protocol.ErrClock) {
		return problem.Wrap(err, problem.Unauthorized, "The node's clock is more than a day off. Use the time of this answer.")
	}
	return problem.Wrap(err, problem.Unauthorized, "The request is not signed as it should be.")
}

// caller checks whose request it is and takes its number. The node comes locked.
func (s *Service) caller(c *gin.Context, body []byte) (*live, error) {
	sig, err := protocol.ReadSignature(c.Request.Header)
	if err != nil || sig.Node == "" {
		return nil, unsigned(err)
	}
	l, err := s.live(c.Request.Context(), sig.Node)
	if problem.Is(err, problem.NotFound) {
		return nil, problem.New(problem.Unauthorized, "This node is not known here. Enrol it.")
	}
	if err != nil {
		return nil, err
	}
	if err := s.verify(c, l, sig, body); err != nil {
		s.Counters.Refused.Add(1)
		l.mu.Unlock()
		return nil, err
	}
	return l, nil
}

func (s *Service) verify(c *gin.Context, l *live, sig protocol.Signature, body []byte) error {
	if err := sig.Verify(l.node.key, c.Request.Method, c.Request.RequestURI, sha256.Sum256(body), s.Now()); err != nil {
		return unsigned(err)
	}
	switch l.node.State {
	case protocol.NodeRevoked:
		return problem.New(problem.Forbidden, "This node was revoked.")
	case protocol.NodeRejected:
		return problem.New(problem.Forbidden, "This node was rejected.")
	}
	if l.use(sig.Seq) {
		return nil
	}
	c.Header(protocol.HeaderLastSeq, strconv.FormatInt(l.node.seq, 10))
	s.doubled(l)
	return problem.New(problem.Conflict, "The number %d was used before; go on after %d.", sig.Seq, l.node.seq)
}

// known is caller for what only accepted nodes may do; the node is a copy.
func (s *Service) known(c *gin.Context, body []byte) (Node, error) {
	l, err := s.caller(c, body)
	if err != nil {
		return Node{}, err
	}
	n := l.node
	l.mu.Unlock()
	s.fleet.mark(l)
	if n.State != protocol.NodeAccepted {
		return n, problem.New(problem.Forbidden, "This node waits to be accepted.")
	}
	return n, nil
}

func (s *Service) httpEnrol(c *gin.Context) error {
	body, err := readBody(c, protocol.MaxMessage)
	if err != nil {
		return err
	}
	var in protocol.EnrollRequest
	if err := decode(body, &in); err != nil {
		return err
	}
	sig, err := protocol.ReadSignature(c.Request.Header)
	if err == nil {
		err = sig.Verify(ed25519.PublicKey(in.PublicKey), c.Request.Method, c.Request.RequestURI, sha256.Sum256(body), s.Now())
	}
	if err != nil {
		return unsigned(err)
	}
	ctx := c.Request.Context()
	n, err := s.Enrol(ctx, in, c.ClientIP())
	if err != nil {
		return err
	}
	t, err := s.trusted(ctx, n.Team)
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, protocol.EnrollAnswer{Node: n.ID, State: n.State, Time: s.Now().UTC(), Root: t.rawRoots(), IntervalSeconds: int(s.Interval.Seconds())})
	return nil
}

func (s *Service) httpCheckIn(c *gin.Context) error {
	body, err := readBody(c, protocol.MaxMessage)
	if err != nil {
		return err
	}
	var in protocol.CheckIn
	if err := decode(body, &in); err != nil {
		return err
	}
	if err := validateCheckIn(&in); err != nil {
		return err
	}
	l, err := s.caller(c, body)
	if err != nil {
		return err
	}
	out, err := s.checkIn(c.Request.Context(), l, in)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, out)
	return nil
}

func (s *Service) httpReports(c *gin.Context) error {
	body, err := readBody(c, protocol.MaxReportsBody)
	if err != nil {
		return err
	}
	n, err := s.known(c, body)
	if err != nil {
		return err
	}
	var in protocol.ReportsRequest
	if err := decode(body, &in); err != nil {
		return err
	}
	acked, err := s.TakeReports(c.Request.Context(), n, in.Reports)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, protocol.ReportsAnswer{Acked: acked})
	return nil
}

func (s *Service) httpRotate(c *gin.Context) error {
	body, err := readBody(c, protocol.MaxMessage)
	if err != nil {
		return err
	}
	n, err := s.known(c, body)
	if err != nil {
		return err
	}
	var in protocol.RotateRequest
	if err := decode(body, &in); err != nil {
		return err
	}
	if err := s.Rotate(c.Request.Context(), n, in); err != nil {
		return err
	}
	c.JSON(http.StatusOK, protocol.RotateAnswer{Fingerprint: protocol.Fingerprint(in.PublicKey)})
	return nil
}

// large takes one of the places for big bodies; the result gives it back.
func (s *Service) large(ctx context.Context) (func(), error) {
	if !s.bodies.TryAcquire(1) {
		return nil, &problem.Error{Kind: problem.Unavailable, Detail: "Too many nodes send at once; come again.", RetryAfter: 5}
	}
	return func() { s.bodies.Release(1) }, ctx.Err()
}
