package system

import (
	"context"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/platform/cluster"
	"github.com/signalbox/signalbox/server/platform/work"
)

// ServersCheck asks which servers share the database, whether all are there, and whether
// each can read what the others store. Loops is nil where none run.
func ServersCheck(members func(ctx context.Context) ([]cluster.Member, error), loops func() []work.LoopStatus) Check {
	return Check{"servers", func(ctx context.Context) Result {
		list, err := members(ctx)
		if err != nil {
			return Result{Fail, fmt.Sprintf("The servers cannot be listed: %s.", err), "See the check of the database."}
		}
		r := judgeServers(list)
		for _, l := range loopsOf(loops) {
			if l.Elsewhere {
				r.Detail += " Another server than this one leads."
				break
			}
		}
		return r
	}}
}

func loopsOf(loops func() []work.LoopStatus) []work.LoopStatus {
	if loops == nil {
		return nil
	}
	return loops()
}

func judgeServers(list []cluster.Member) Result {
	var there, gone, mute []string
	places := map[string]bool{}
	for _, m := range list {
		if !m.There {
			sentence := m.Title() + " is not there, " + m.Absence() + "."
			if m.Waiting > 0 {
				sentence += fmt.Sprintf(" %d bytes of acknowledged error events wait on its disk.", m.Waiting)
			}
			gone = append(gone, sentence)
			continue
		}
		there, places[m.Blobs] = append(there, m.Title()), true
		if m.Address == "" {
			mute = append(mute, m.Title())
		}
	}
	if len(list) <= 1 {
		return Good("One server.")
	}
	r := Good("%d servers: %s.", len(there), strings.Join(there, ", "))
	if len(gone) > 0 {
		r.Status, r.Detail = Warn, r.Detail+" "+strings.Join(gone, " ")
		r.Fix = "Start it again: logs of its builds, its log lines and events that it has acknowledged come back with its data folder. One that is gone for good is forgotten with DELETE /api/v1/system/servers/NAME."
	}
	if len(mute) > 0 && len(there) > 1 {
		r.Status, r.Detail = Warn, r.Detail+" Others do not know where to reach "+strings.Join(mute, ", ")+"."
		r.Fix = "Set server.node_url on each server to an address at which the others reach it."
	}
	if len(places) > 1 {
		r.Status, r.Detail = Fail, r.Detail+" Their blobs lie in different places, so one cannot read what another stored: artifacts, attachments, source maps, bundles."
		r.Fix = "Set blobs.s3_* on all of them to one bucket, or blobs.folder to one folder that they share, and copy there what is in each one's folder."
	}
	return r
}
