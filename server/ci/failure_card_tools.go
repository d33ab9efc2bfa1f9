package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/junit"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// outcomeTools are what machines may ask of what came out of builds.
func (s *Service) outcomeTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "ci_build_failure", Title: "Explain a failed build", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Why a build failed: the step, the reason, its last lines, how many of the builds before failed the same way, in which build that began, and whether the same inputs also passed."}, s.toolFailure),
		tools.New(tools.Spec{Name: "ci_build_tests", Title: "Read a build's tests", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Test cases of a build's reports, failed ones first, a hundred on a page. State is passed, failed, errored or skipped; query is a part of a name."}, s.toolTests),
		tools.New(tools.Spec{Name: "ci_packages_find", Title: "Find a package in builds", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Builds of a team that contain a package by name, such as log4j-core below 2.17.1; the newest build of each job first."}, s.toolPackages),
	}
}

func (s *Service) toolFailure(ctx context.Context, in toolBuildIn) (failureCard, error) {
	return s.httpFailure(ctx, byID{in.Build})
}

type toolTestsIn struct {
	Build int64       `json:"build"`
	State junit.State `json:"state,omitempty"`
	Query string      `json:"query,omitempty"`
	Page  int         `json:"page,omitempty"`
}

func (s *Service) toolTests(ctx context.Context, in toolTestsIn) (testPage, error) {
	asked := testsIn{ID: in.Build, State: in.State, Q: in.Query, Page: in.Page}
	if err := asked.Validate(); err != nil {
		return testPage{}, err
	}
	return s.httpTests(ctx, asked)
}

type toolPackagesIn struct {
	Team    string `json:"team"`
	Name    string `json:"name"`
	Below   string `json:"below,omitempty"`
	Version string `json:"version,omitempty"`
}

func (s *Service) toolPackages(ctx context.Context, in toolPackagesIn) (packageList, error) {
	asked := packagesIn(in)
	if err := asked.Validate(); err != nil {
		return packageList{}, err
	}
	return s.httpPackages(ctx, asked)
}
