package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// A build runs where it began: its containers, volumes and log are on that server's
// disk. When that server dies the build waits for its return, which its page says;
// whoever does not want to wait aborts it.

// clustered reports whether there may be other servers.
func (s *Service) clustered() bool { return s.deps.Cluster != nil && s.deps.Cluster.Several() }

// self is this server's name where there may be others.
func (s *Service) self() string {
	if !s.clustered() {
		return ""
	}
	return s.deps.Cluster.Node()
}

// away reports whether what is on disk of the build is another server's.
func (s *Service) away(node string) bool {
	return s.clustered() && node != "" && node != s.deps.Cluster.Node()
}

// settle makes this server the build's home if it has none yet; false when another one
// is, which alone may run the job from now on.
func (s *Service) settle(ctx context.Context, b *buildRow, job work.Job) (mine bool, err error) {
	if !s.clustered() {
		return true, nil
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if b.Node, err = s.claimNode(ctx, b.ID, s.deps.Cluster.Node()); err != nil || b.Node == job.Node {
			return err
		}
		return s.deps.Jobs.Bind(ctx, job.ID, b.Node)
	})
	return !s.away(b.Node), err
}

// handOver leaves the job to the build's home.
func (s *Service) handOver(ctx context.Context, b *buildRow, job work.Job) error {
	_, err := s.settle(ctx, b, job)
	return errors.Join(err, work.ErrDetached)
}

// home is the server where the build's log and volumes are; nil when that is this one.
func (s *Service) home(ctx context.Context, node string) (*cluster.Member, error) {
	if !s.away(node) {
		return nil, nil
	}
	m, err := s.deps.Cluster.Member(ctx, node)
	return &m, err
}

// notThere says honestly whose disk it is on.
func notThere(what string, m cluster.Member, cause error) error {
	sentence := fmt.Sprintf("%s is on the server %s, ", what, m.Title())
	switch {
	case m.Name == "":
		sentence += "which is not known any more."
	case m.There:
		sentence += "which does not answer. Try again in a moment."
	default:
		sentence += m.Absence() + ". It can be read again when that server is back."
	}
	p := problem.Wrap(cause, problem.Unavailable, "%s", sentence)
	p.RetryAfter = 10
	return p
}

// waitsForHome is why a started build does not go on; "" when it does.
func (s *Service) waitsForHome(ctx context.Context, b buildRow) (string, error) {
	m, err := s.home(ctx, b.Node)
	if m == nil || m.There || err != nil || b.Status != Started {
		return "", err
	}
	return fmt.Sprintf("It runs on the server %s, %s. It goes on when that server is back; abort it to give it up.", m.Title(), m.Absence()), nil
}

// atHome fails when the build's log is on another server.
func (s *Service) atHome(ctx context.Context, b buildRow) error {
	m, err := s.home(ctx, b.Node)
	if m == nil || err != nil {
		return err
	}
	return notThere("The log of this build", *m, errors.New("asked on another server"))
}

// volumeRoute is where other servers fetch volumes.
const volumeRoute = "/cluster/v1/ci/volume"

type volumeCall struct {
	Volume string `json:"volume"`
}

// giveVolume sends a volume to another server.
func (s *Service) giveVolume(ctx context.Context, body []byte, w io.Writer) error {
	var in volumeCall
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	return s.deps.Executor.ExportVolume(ctx, runtime.VolumeID(in.Volume), ".", w)
}

// bringArtifacts fetches what `fly execute` has uploaded to other servers.
func (s *Service) bringArtifacts(ctx context.Context, team int64, p plan.Plan) error {
	if !s.clustered() {
		return nil
	}
	for _, id := range uploadedArtifacts(p) {
		row, err := s.artifact(ctx, team, id)
		if err != nil || !s.away(row.Node) {
			if err != nil && !problem.Is(err, problem.NotFound) {
				return err
			}
			continue // the step says what is missing
		}
		if err := s.bringArtifact(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) bringArtifact(ctx context.Context, row artifactRow) error {
	m, err := s.deps.Cluster.Member(ctx, row.Node)
	if err != nil {
		return err
	}
	content, err := s.deps.Cluster.Call(ctx, m, volumeRoute, volumeCall{row.Volume})
	var absent *cluster.Absent
	if errors.As(err, &absent) {
		return notThere("What was uploaded for this build", m, err)
	}
	if err != nil {
		return err
	}
	defer content.Close()
	if err := s.deps.Executor.ImportVolume(ctx, runtime.VolumeID(row.Volume), content); err != nil {
		return fmt.Errorf("take over artifact %d from %s: %w", row.ID, m.Title(), err)
	}
	return s.moveArtifact(ctx, row.ID, s.deps.Cluster.Node())
}

// uploadedArtifacts are those that the plan takes.
func uploadedArtifacts(p plan.Plan) (ids []int64) {
	p.Each(func(one *plan.Plan) {
		if one.ArtifactInput != nil {
			ids = append(ids, one.ArtifactInput.ArtifactID)
		}
	})
	return ids
}
