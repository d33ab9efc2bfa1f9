package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// artifactTools are what machines may do with the files that builds leave.
func (s *Service) artifactTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "ci_artifact_list", Title: "List a build's files", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Files that a build kept for download, with size, SHA-256, when they expire and where to download them."}, s.toolArtifacts),
	}
}

type toolArtifact struct {
	artifactShape
	URL string `json:"url"`
}

type toolArtifactList struct {
	Items []toolArtifact `json:"items"`
}

func (s *Service) toolArtifacts(ctx context.Context, in toolBuildIn) (toolArtifactList, error) {
	out := toolArtifactList{Items: []toolArtifact{}}
	list, err := s.httpArtifacts(ctx, byID{in.Build})
	for _, a := range list.Items {
		out.Items = append(out.Items, toolArtifact{a, s.publicURL() + "/api/v1/ci/artifacts/" + formatInt(a.ID) + "/content"})
	}
	return out, err
}
