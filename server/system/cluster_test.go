package system

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/cluster"
)

func TestJudgeServers(t *testing.T) {
	t.Parallel()
	here := func(name, place string) cluster.Member {
		return cluster.Member{Node: name, Name: "host", Address: "http://" + name, Blobs: place, There: true}
	}
	mute, gone := here("ddd", "s3"), cluster.Member{Node: "ccc", Name: "host", Blobs: "disk", Seen: time.Unix(0, 0), Waiting: 12}
	mute.Address = ""
	for _, c := range []struct {
		list   []cluster.Member
		status Status
		says   string
	}{
		{[]cluster.Member{here("aaa", "disk 1")}, OK, "One server."},
		{[]cluster.Member{here("aaa", "s3"), here("bbb", "s3")}, OK, "2 servers: host (aaa), host (bbb)."},
		{[]cluster.Member{here("aaa", "disk 1"), here("bbb", "disk 2")}, Fail, "different places"},
		{[]cluster.Member{here("aaa", "s3"), gone}, Warn, "host (ccc) is not there, of which nothing was heard since 1970-01-01 00:00:00 UTC. 12 bytes"},
		{[]cluster.Member{here("aaa", "s3"), mute}, Warn, "where to reach host (ddd)"},
	} {
		if r := judgeServers(c.list); r.Status != c.status || !strings.Contains(r.Detail, c.says) || (r.Fix == "") != (r.Status == OK) {
			t.Errorf("%+v", r)
		}
	}
}
