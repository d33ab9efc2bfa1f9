package github

import (
	"encoding/hex"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// reachRoutes registers where we ask ourselves.
func (s *Service) reachRoutes(r api.Router) {
	r.GET("/hooks/github/_reach/:word", api.Foreign("sealed by this server's own key"), s.answerReach)
}

// answerReach takes the raw context because it answers with plain text. Whoever
// has the sealed word can open it here; only this installation can have made it.
func (s *Service) answerReach(c *gin.Context) {
	text := c.Param("word")
	sealed, err := hex.DecodeString(text[:min(len(text), maxReachHex)])
	if err == nil {
		var word []byte
		if word, err = s.Box.Open(reachTable, "word", sealed); err == nil {
			c.Header("Cache-Control", "no-store")
			c.Data(http.StatusOK, "text/plain; charset=utf-8", word)
			return
		}
	}
	api.WriteProblem(c, problem.New(problem.NotFound, "There is nothing at this address."))
}
