package app

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/config"
)

// mcpCommand serves the tools of a server to a program that starts MCP servers
// itself and talks to them over their standard input and output.
func (c *cli) mcpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "mcp", Short: "Serve the tools of SIGNALBOX_URL over standard input and output, with SIGNALBOX_TOKEN", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, token := config.Client()
			if url == "" || token == "" {
				return errUsage{errors.New("set SIGNALBOX_URL to the server's address and SIGNALBOX_TOKEN to a token; its scopes decide which tools there are")}
			}
			return bridge(cmd.Context(), strings.TrimRight(url, "/")+"/mcp", token, &mcp.StdioTransport{})
		},
	}
}

// bridge offers on one side what it finds on the other, until the near side ends.
func bridge(ctx context.Context, endpoint, token string, near mcp.Transport) error {
	self := &mcp.Implementation{Name: "signalbox", Title: "Signalbox", Version: Version}
	far, err := mcp.NewClient(self, nil).Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		return err
	}
	defer far.Close()
	server := mcp.NewServer(self, &mcp.ServerOptions{Instructions: far.InitializeResult().Instructions, Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}}})
	for tool, err := range far.Tools(ctx, nil) {
		if err != nil {
			return err
		}
		server.AddTool(tool, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return far.CallTool(ctx, &mcp.CallToolParams{Name: req.Params.Name, Arguments: req.Params.Arguments})
		})
	}
	return server.Run(ctx, near)
}

// bearer sends a token with each request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
