package ci

import (
	"context"
	"io"
	"mime"
	"path"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) artifactRoutes(r api.Router) {
	r.GET("/builds/:id/artifacts", reading(), api.Handle(s.httpArtifacts))
	r.GET("/artifacts/:id/content", reading(), s.httpArtifactContent)
	r.POST("/artifacts/:id/keep", operating(), api.Handle(s.httpKeepArtifact))
	r.DELETE("/artifacts/:id", writing(), api.Handle(s.httpDeleteArtifact))
}

// artifactShape is a kept file.
type artifactShape struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Path begins with the name of the output.
	Path      string    `json:"path"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is nil for what is kept without end.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func shapeArtifact(a keptArtifactRow) artifactShape {
	return artifactShape{a.ID, path.Base(a.Path), a.Path, a.Size, a.SHA256, a.CreatedAt.Time(), a.ExpiresAt.pointer()}
}

type artifactList struct {
	Items []artifactShape `json:"items"`
}

func (s *Service) httpArtifacts(ctx context.Context, in byID) (artifactList, error) {
	out := artifactList{Items: []artifactShape{}}
	b, err := s.buildFor(ctx, in.ID, identity.Read)
	if err != nil {
		return out, err
	}
	rows, err := s.keptArtifacts(ctx, b.ID)
	for _, a := range rows {
		out.Items = append(out.Items, shapeArtifact(a))
	}
	return out, err
}

// artifactFor finds a kept file of a team in which the caller holds the level.
func (s *Service) artifactFor(ctx context.Context, id int64, level identity.Level) (keptArtifactRow, error) {
	a, err := s.keptArtifact(ctx, id)
	if err == nil {
		err = identity.Require(ctx, a.TeamID, scope(level))
	}
	if err == nil && s.deps.Blobs == nil {
		err = problem.New(problem.Unavailable, "This server keeps no files.")
	}
	return a, err
}

// httpArtifactContent sends the bytes, so it takes the raw context. What builds made
// is never shown as a page of ours.
func (s *Service) httpArtifactContent(c *gin.Context) {
	if err := s.sendArtifact(c); err != nil {
		api.WriteProblem(c, err)
	}
}

func (s *Service) sendArtifact(c *gin.Context) error {
	ctx := c.Request.Context()
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problem.New(problem.NotFound, "There is no artifact %.20q.", c.Param("id"))
	}
	a, err := s.artifactFor(ctx, id, identity.Read)
	if err != nil {
		return err
	}
	content, ref, err := s.deps.Blobs.Open(ctx, a.TeamID, a.SHA256)
	if err != nil {
		return err
	}
	defer content.Close()
	c.Header("Content-Type", "application/octet-stream")
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(a.Path)}))
	c.Header("Content-Security-Policy", "default-src 'none'; sandbox")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Cache-Control", "private, no-store")
	c.Header("Content-Length", strconv.FormatInt(ref.Size, 10))
	if _, err := io.Copy(c.Writer, content); err != nil {
		s.deps.Log.InfoContext(ctx, "sending an artifact ended early", "error", err, "artifact", a.ID)
	}
	return nil
}

func (s *Service) httpKeepArtifact(ctx context.Context, in byID) (artifactShape, error) {
	a, err := s.artifactFor(ctx, in.ID, identity.Operate)
	if err != nil {
		return artifactShape{}, err
	}
	a.ExpiresAt = 0
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.setArtifactExpiry(ctx, a.ID, a.ExpiresAt); err != nil {
			return err
		}
		return s.audit(ctx, a.TeamID, "artifact.keep", a.Path, "build "+formatInt(a.BuildID))
	})
	s.changed(ctx, a.TeamID, topicBuild, a.BuildID)
	return shapeArtifact(a), err
}

func (s *Service) httpDeleteArtifact(ctx context.Context, in byID) (api.Nothing, error) {
	a, err := s.artifactFor(ctx, in.ID, identity.Write)
	if err != nil {
		return api.Nothing{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.dropArtifact(ctx, a); err != nil {
			return err
		}
		return s.audit(ctx, a.TeamID, "artifact.delete", a.Path, "build "+formatInt(a.BuildID))
	})
	s.changed(ctx, a.TeamID, topicBuild, a.BuildID)
	return api.Nothing{}, err
}

// addArtifacts counts the files that the caller may download.
func (s *Service) addArtifacts(ctx context.Context, b buildRow, out *buildShape) (err error) {
	if b.JobID != 0 && own(ctx, b.TeamID) {
		out.Artifacts, err = s.countKeptArtifacts(ctx, b.ID)
	}
	return err
}
