package assistant

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// maxCall bounds one message of an MCP client, in bytes.
const maxCall = 1 << 20

// Routes registers what the assistant answers.
func (s *Service) Routes(r api.Router) {
	s.ownRoutes(r.Group("/api/v1/assistant"))
	// GET and DELETE belong to sessions, which a stateless server has none of: the handler says so.
	handler := s.mcpHandler()
	for _, register := range []func(string, api.Access, gin.HandlerFunc){r.POST, r.GET, r.DELETE} {
		register("/mcp", api.SignedIn(), handler)
	}
}

// mcpHandler serves MCP over streamable HTTP, each request by itself. Tokens
// only: a browser's session would let any page that the person visits call tools.
func (s *Service) mcpHandler() gin.HandlerFunc {
	streamable := mcp.NewStreamableHTTPHandler(
		func(r *http.Request) *mcp.Server { return s.serverFor(identity.From(r.Context())) },
		&mcp.StreamableHTTPOptions{
			Stateless: true, JSONResponse: true, Logger: s.Log, MaxRequestBodyBytes: maxCall, PropagateRequestCancellation: true,
			DisableLocalhostProtection: true, // behind a proxy on this machine the Host is the public one; tokens are what guards
		})
	guarded := http.NewCrossOriginProtection().Handler(streamable)
	return func(c *gin.Context) {
		if identity.From(c.Request.Context()).TokenID == "" {
			api.WriteProblem(c, problem.New(problem.Unauthorized, "MCP needs a token as Authorization: Bearer; make one under Settings, Tokens."))
			return
		}
		guarded.ServeHTTP(c.Writer, c.Request)
	}
}
