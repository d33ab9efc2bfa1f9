package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/junit"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type testsIn struct {
	ID    int64       `uri:"id" json:"-"`
	State junit.State `form:"state" json:"-"`
	Q     string      `form:"q" json:"-"`
	Page  int         `form:"page" json:"-"`
}

// maxPage bounds how far into a report one may look.
const maxPage = maxReportCases/pageCases + 1

// Validate refuses states that no case has.
func (in *testsIn) Validate() error {
	switch in.State {
	case "", junit.Passed, junit.Failed, junit.Errored, junit.Skipped:
	default:
		return problem.FieldError("state", "%q is none of passed, failed, errored and skipped", string(in.State))
	}
	if in.Page == 0 {
		in.Page = 1
	}
	if in.Page < 1 || in.Page > maxPage {
		return problem.FieldError("page", "is not between 1 and %d", maxPage)
	}
	if len(in.Q) > 1000 {
		return problem.FieldError("q", "is longer than any name")
	}
	return nil
}

func (s *Service) httpTests(ctx context.Context, in testsIn) (testPage, error) {
	b, err := s.openBuild(ctx, in.ID)
	if err != nil {
		return testPage{}, err
	}
	return s.testsOf(ctx, b.ID, testFilter{State: in.State, Text: in.Q, Page: in.Page})
}
