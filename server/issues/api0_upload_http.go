package issues

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) api0UploadRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/organizations/:team/chunk-upload/", read, handle0(s.uploadOptions0))
	r.POST("/organizations/:team/chunk-upload/", write, handle0(s.postChunks0))
	r.POST("/organizations/:team/artifactbundle/assemble/", write, handle0(s.assembleBundle0))
	r.POST("/projects/:team/:project/files/difs/assemble/", write, handle0(s.assembleDebugFiles0))
	r.GET("/projects/:team/:project/files/dsyms/", read, handle0(s.listDebugFiles0))
}

// uploadOptions0 tells how to upload. The address comes from the request: the
// client must reach it as it reached this one.
func (s *Service) uploadOptions0(c *gin.Context) (int, any, error) {
	team, err := team0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"url": base0(c) + "/api/0/organizations/" + team.Name + "/chunk-upload/", "chunkSize": chunkSize, "chunksPerRequest": chunksAtOnce,
		"maxRequestSize": maxChunkRequest, "maxFileSize": maxUpload, "maxWait": 60, "concurrency": 8, "hashAlgorithm": "sha1", "compression": []string{"gzip"},
		"accept": []string{"debug_files", "release_files", "pdbs", "portablepdbs", "sources", "bcsymbolmaps", "il2cpp", "artifact_bundles", "artifact_bundles_v2"}}, nil
}

// postChunks0 reads parts named file or file_gzip one by one, none as a whole request.
func (s *Service) postChunks0(c *gin.Context) (int, any, error) {
	team, err := team0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	// The limit of the protocol is about the pieces; their framing comes on top.
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxChunkRequest+chunkSize)
	parts, err := c.Request.MultipartReader()
	if err != nil {
		return 0, nil, problem.Wrap(err, problem.Invalid, "Chunks come as multipart/form-data.")
	}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return http.StatusOK, nil, nil
		}
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return 0, nil, problem.New(problem.TooLarge, "The request is larger than %d bytes.", maxChunkRequest)
		case err != nil:
			return 0, nil, problem.Wrap(err, problem.Invalid, "The request could not be read to its end.")
		case n >= chunksAtOnce:
			return 0, nil, problem.New(problem.TooLarge, "The request has more than %d chunks.", chunksAtOnce)
		}
		name := part.FormName()
		if name != "file" && name != "file_gzip" {
			continue
		}
		if err := s.storeChunk(c.Request.Context(), team.ID, part.FileName(), part, name == "file_gzip"); err != nil {
			return 0, nil, err
		}
	}
}

type assemble0Body struct {
	State         string   `json:"state"`
	MissingChunks []string `json:"missingChunks"`
	Detail        *string  `json:"detail"`
}

func (s *Service) assembleBundle0(c *gin.Context) (int, any, error) {
	team, err := team0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Checksum string
		Chunks   []string
		Projects []string
		Version  *string
		Dist     *string
	}
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	a := assembly{Checksum: in.Checksum, Chunks: in.Chunks, Kind: kindBundle}
	set(&a.Release, in.Version)
	set(&a.Dist, in.Dist)
	for _, slug := range in.Projects {
		p, err := s.projectBySlug(c.Request.Context(), team.ID, slug)
		if err != nil {
			return 0, nil, err
		}
		a.Projects = append(a.Projects, p)
	}
	out, err := s.assemble(c.Request.Context(), a)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, assemble0Body{out.State, out.Missing, orNil(out.Detail)}, nil
}

// maxDebugFiles is how many files one request asks about.
const maxDebugFiles = 1000

type debugFile0Body struct {
	ID          string            `json:"id"`
	UUID        string            `json:"uuid"`
	DebugID     string            `json:"debugId"`
	CodeID      *string           `json:"codeId"`
	ObjectName  string            `json:"objectName"`
	CPUName     string            `json:"cpuName"`
	SymbolType  string            `json:"symbolType"`
	SHA1        string            `json:"sha1"`
	Size        int64             `json:"size"`
	Headers     map[string]string `json:"headers"`
	Data        map[string]any    `json:"data"`
	DateCreated time.Time         `json:"dateCreated"`
}

func shapeDebugFile0(a artifactRow) debugFile0Body {
	return debugFile0Body{ID: formatID(a.ID), UUID: a.DebugID, DebugID: a.DebugID, ObjectName: a.Name, CPUName: "any", SymbolType: "native", SHA1: a.Checksum, Size: a.Size,
		Headers: map[string]string{"Content-Type": "application/octet-stream"}, Data: map[string]any{"features": []string{}}, DateCreated: millisTime(a.CreatedAt)}
}

// assembleDebugFiles0 keeps debug files. They are stored and listed; native stacks are shown as they come.
func (s *Service) assembleDebugFiles0(c *gin.Context) (int, any, error) {
	p, err := s.project0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	in := map[string]struct {
		Name    string
		DebugID string `json:"debug_id"`
		Chunks  []string
	}{}
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	if len(in) > maxDebugFiles {
		return 0, nil, problem.New(problem.TooLarge, "The request asks about more than %d files.", maxDebugFiles)
	}
	type answer struct {
		assemble0Body
		DIF *debugFile0Body `json:"dif,omitempty"`
	}
	out := make(map[string]answer, len(in))
	for sum, f := range in {
		done, err := s.assemble(c.Request.Context(), assembly{Checksum: sum, Chunks: f.Chunks, Projects: []Project{p}, Kind: kindDebugFile, Name: f.Name, DebugID: clipText(f.DebugID, 64)})
		if err != nil {
			return 0, nil, err
		}
		one := answer{assemble0Body: assemble0Body{done.State, done.Missing, orNil(done.Detail)}}
		if done.State == "ok" {
			row := shapeDebugFile0(artifactRow{Checksum: sum, Name: f.Name, DebugID: f.DebugID, CreatedAt: s.millis()})
			row.UUID, row.DebugID = cmp.Or(row.UUID, "00000000-0000-0000-0000-000000000000"), cmp.Or(row.DebugID, "00000000-0000-0000-0000-000000000000")
			one.DIF = &row
		}
		out[sum] = one
	}
	return http.StatusOK, out, nil
}

func (s *Service) listDebugFiles0(c *gin.Context) (int, any, error) {
	project, err := s.project0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.rows().artifacts(c.Request.Context(), project.ID, kindDebugFile, "", p.offset, p.limit+1)
	if err != nil {
		return 0, nil, err
	}
	link0(c, p, len(list) > p.limit)
	out := []debugFile0Body{}
	for _, a := range list[:min(len(list), p.limit)] {
		out = append(out, shapeDebugFile0(a))
	}
	return http.StatusOK, out, nil
}
