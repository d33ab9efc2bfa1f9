package edge

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) httpMetadata(c *gin.Context) error {
	n, err := s.known(c, nil)
	if err != nil {
		return err
	}
	t, err := s.trusted(c.Request.Context(), n.Team)
	if err != nil {
		return err
	}
	raw, err := t.file(c.Param("file"))
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-cache")
	c.Data(http.StatusOK, "application/json", raw)
	return nil
}

func (s *Service) httpManifest(c *gin.Context) error {
	n, err := s.known(c, nil)
	if err != nil {
		return err
	}
	b, err := s.rows().bundle(c.Request.Context(), n.Team, c.Param("id"))
	if err != nil {
		return err
	}
	raw, err := s.manifest(c.Request.Context(), b)
	if err != nil {
		return err
	}
	c.Header("ETag", `"`+b.ManifestSHA256+`"`)
	c.Data(http.StatusOK, "application/json", raw)
	return nil
}

// httpBlob sends a blob, or the part that a node still lacks, at the pace that
// server, site and node allow.
func (s *Service) httpBlob(c *gin.Context) error {
	n, err := s.known(c, nil)
	if err != nil {
		return err
	}
	ctx, sha := c.Request.Context(), c.Param("sha256")
	r, size, err := s.content(ctx, n.Team, sha)
	if err != nil {
		return err
	}
	defer r.Close()
	tag := `"` + sha + `"`
	c.Header("ETag", tag)
	c.Header("Accept-Ranges", "bytes")
	c.Header("Cache-Control", "private, immutable, max-age=31536000")
	c.Header("Content-Type", "application/octet-stream")
	from, length, partial := int64(0), size, false
	if asked := c.GetHeader("Range"); asked != "" && (c.GetHeader("If-Range") == "" || c.GetHeader("If-Range") == tag) {
		if from, length, partial, err = span(asked, size); err != nil {
			c.Header("Content-Range", fmt.Sprintf("bytes */%d", size))
			c.Status(http.StatusRequestedRangeNotSatisfiable)
			c.Writer.WriteHeaderNow()
			return nil
		}
	}
	if err := skip(r, from); err != nil {
		return err
	}
	c.Header("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		c.Header("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+length-1, size))
	}
	c.Status(status)
	c.Writer.WriteHeaderNow()
	if c.Request.Method == http.MethodHead {
		return nil
	}
	site, err := s.siteRate(ctx, n.Team, n.Site)
	if err == nil {
		site, err = s.sparing(ctx, &n, site)
	}
	if err != nil {
		s.Log.Warn("the cap of a site could not be read; the usual one holds", "site", n.Site, "error", err)
	}
	// What goes wrong from here on the node sees as a short answer, and it comes for the rest.
	if err := send(ctx, counting{c.Writer, &s.Counters.Bytes}, io.LimitReader(r, length), s.limiters(&n, site)); err != nil && ctx.Err() == nil {
		s.Log.Info("a node did not get all of a blob", "node", n.ID, "blob", sha, "error", err)
	}
	return nil
}

// counting counts what it passes on.
type counting struct {
	io.Writer
	n *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// skip goes to a place in a blob; on disk that costs nothing.
func skip(r io.Reader, n int64) error {
	if n == 0 {
		return nil
	}
	if seeker, ok := r.(io.Seeker); ok {
		_, err := seeker.Seek(n, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

func (s *Service) httpInventory(c *gin.Context) error {
	done, err := s.large(c.Request.Context())
	if err != nil {
		return err
	}
	defer done()
	body, err := readBody(c, protocol.MaxInventory)
	if err != nil {
		return err
	}
	n, err := s.known(c, body)
	if err != nil {
		return err
	}
	raw, err := unpack(body)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "The inventory is not JSON in zstd of at most %d MB.", protocol.MaxInventoryRaw>>20)
	}
	var in protocol.Inventory
	if err := decode(raw, &in); err != nil {
		return err
	}
	if err := s.TakeInventory(c.Request.Context(), n, in); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}
