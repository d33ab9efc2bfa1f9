package edge

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// What makes a machine a node by one line. The units are those of deploy/systemd.
//
//go:embed install
var installFiles embed.FS

// AgentBuild is an agent's program that this server hands out.
type AgentBuild struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Path   string `json:"path"`
	file   string
}

// agentKinds are the systems that there are agents for.
var agentKinds = [][2]string{{"linux", "amd64"}, {"linux", "arm64"}}

// agentSums remembers the sums of programs, until their files change.
type agentSums struct {
	mu    sync.Mutex
	known map[string]agentSum
}

type agentSum struct {
	at   time.Time
	size int64
	sum  string
}

// AgentBuilds are the agents that a team's machines can fetch here.
func (s *Service) AgentBuilds(ctx context.Context, team int64) ([]AgentBuild, error) {
	out := []AgentBuild{}
	if err := identity.Require(ctx, team, reading); err != nil {
		return out, err
	}
	for _, kind := range agentKinds {
		b, err := s.agentBuild(kind[0] + "-" + kind[1])
		if problem.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

// agentBuild is the one for a system, such as linux-arm64. The server's own folder has
// the agent of its own architecture under its plain name.
func (s *Service) agentBuild(kind string) (AgentBuild, error) {
	missing := problem.New(problem.NotFound, "This server has no agent for %.40q. Put signalbox-agent-%.40s into the folder that edge.agent_dir names.", kind, kind)
	for _, k := range agentKinds {
		if kind != k[0]+"-"+k[1] || s.AgentDir == "" {
			continue
		}
		names := []string{"signalbox-agent-" + kind}
		if k[0] == runtime.GOOS && k[1] == runtime.GOARCH {
			names = append(names, "signalbox-agent")
		}
		for _, name := range names {
			b := AgentBuild{OS: k[0], Arch: k[1], Path: pathAgent + kind, file: filepath.Join(s.AgentDir, name)}
			err := s.agents.measure(&b)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return b, err
		}
	}
	return AgentBuild{}, missing
}

func (a *agentSums) measure(b *AgentBuild) error {
	f, err := os.Open(b.file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.known[b.file]
	if !known.at.Equal(info.ModTime()) || known.size != info.Size() {
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		if a.known == nil {
			a.known = map[string]agentSum{}
		}
		known = agentSum{info.ModTime(), info.Size(), hex.EncodeToString(h.Sum(nil))}
		a.known[b.file] = known
	}
	b.Size, b.SHA256 = known.size, known.sum
	return nil
}

// installer is the script that makes a machine a node of this server.
func (s *Service) installer() (string, error) {
	script, err := installFiles.ReadFile("install/install.sh")
	if err != nil {
		return "", err
	}
	var units strings.Builder
	list, err := installFiles.ReadDir("install")
	if err != nil {
		return "", err
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Name(), "signalbox-agent") {
			continue
		}
		unit, err := installFiles.ReadFile("install/" + f.Name())
		if err != nil {
			return "", err
		}
		units.WriteString("    cat >/etc/systemd/system/" + f.Name() + " <<'END_OF_UNIT'\n" + strings.TrimRight(string(unit), "\n") + "\nEND_OF_UNIT\n")
	}
	url := strings.Map(func(r rune) rune { // it is written between quotes
		if r == '\'' || r < ' ' {
			return -1
		}
		return r
	}, s.PublicURL())
	return strings.NewReplacer("@URL@", url, "@UNITS@", units.String()).Replace(string(script)), nil
}
