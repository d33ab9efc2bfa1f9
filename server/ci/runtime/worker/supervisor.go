package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/signalbox/signalbox/server/ci/runtime/worker/network"
)

// SupervisorCommand is the hidden first argument with which the server's own
// executable becomes the supervisor of one container.
const SupervisorCommand = "container-supervisor"

// lost is the status of a process whose end nobody saw.
const lost = 255

// SupervisorMain is the supervisor of one container: it reads a launch from its
// standard input, starts the container, writes its output and its end to the
// container's folder, and tells on descriptor 3 whether it started. It lives in
// a session and mount namespace of its own, so that the server may die or be
// replaced while builds go on. The result is the process's exit status.
func SupervisorMain([]string) int {
	// The network namespace is a thread's: whatever is started must come from here.
	goruntime.LockOSThread()
	report := os.NewFile(3, "report")
	// Whatever the server inherited must not reach the container; an old kernel
	// without this call is left to runc, which closes it too.
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	var l launch
	if err := json.NewDecoder(os.Stdin).Decode(&l); err != nil {
		fmt.Fprintf(report, "The supervisor could not read its task: %v.", err)
		return 1
	}
	s := &supervisor{launch: l, report: report, now: time.Now}
	if err := s.supervise(); err != nil {
		fmt.Fprint(report, err.Error())
		return 1
	}
	return 0
}

type supervisor struct {
	launch
	report *os.File
	now    func() time.Time
	lock   *os.File
	out    *outputWriter
	net    *network.Connection
	init   int // process id of the container's first process, seen from here
	// reason is set before the container is killed for something else than its own end.
	reason string
}

// supervise returns an error only when the container did not start.
func (s *supervisor) supervise() (err error) {
	if err := s.takeLock(); err != nil {
		return err
	}
	// Whatever the container leaves behind becomes our child, above all its first process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if s.out, err = createOutput(s.launch, s.now); err != nil {
		return err
	}
	defer s.out.close()
	s.net, err = network.Connect(s.Network)
	if err != nil {
		return fmt.Errorf("connect the container to the network: %w", err)
	}
	defer s.net.Close()
	tree, err := prepareTree(s.launch)
	if err != nil {
		return err
	}
	streams, err := openStreams(s.launch)
	if err != nil {
		return err
	}
	defer streams.close()
	if s.init, err = s.run(tree, streams); err != nil {
		s.clean()
		return err
	}
	if err := s.noteStarted(); err != nil {
		s.kill()
		s.clean()
		return err
	}
	s.report.Close()
	s.follow(streams, signals)
	return nil
}

// takeLock holds the container's lock for the rest of this process's life.
func (s *supervisor) takeLock() error {
	f, err := os.OpenFile(s.path(fileLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		return fmt.Errorf("another supervisor has the container: %w", err)
	}
	s.lock = f
	_, err = f.WriteString(strconv.Itoa(os.Getpid()))
	return err
}

func (s *supervisor) noteStarted() error {
	note, err := json.Marshal(started{PID: s.init, Birth: birth(s.init)})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path(fileSpare), make([]byte, 1024), 0o600); err != nil {
		return err
	}
	tmp := s.path(fileStarted + ".new")
	return errors.Join(os.WriteFile(tmp, note, 0o600), os.Rename(tmp, s.path(fileStarted)))
}

// follow waits for the end of the container and of its output.
func (s *supervisor) follow(streams *streams, signals <-chan os.Signal) {
	ended := make(chan int, 1)
	go func() { ended <- waitFor(s.init) }()
	copied := s.out.copyAll(streams)
	var status int
	var stop <-chan time.Time // polls while stopping
	var deadline time.Time
	room := time.NewTicker(500 * time.Millisecond)
	defer room.Stop()
	full := false
	for running := true; running; {
		select {
		case status = <-ended:
			running = false
		case <-room.C:
			full = full || noRoom(s.path("."))
		case <-signals:
			if stop == nil {
				deadline = s.now().Add(s.stopGrace())
				s.terminate()
				stop = time.Tick(50 * time.Millisecond)
			}
		case <-stop:
			if s.now().After(deadline) || !s.anyoneHandlesTerm() {
				s.kill()
			}
		case err := <-s.out.failed:
			s.reason, full = err.Error(), full || errors.Is(err, errOutputFull)
			s.kill()
		}
	}
	if s.reason == "" && s.outOfMemory() {
		s.reason = "The container was killed because it used more memory than its limit."
	}
	if status != 0 && (full || noRoom(s.path("."))) {
		// It failed for want of room, or may have: that is no result of its own.
		if s.reason == "" {
			s.reason = diskFull + " What ran in the container broke off with status " + strconv.Itoa(status) + "."
		}
		status = lost
		s.kill()
		s.giveUpLayers()
	}
	s.kill() // what the first process left behind
	s.drain(copied)
	s.writeExit(exitFile{Status: status, Reason: s.reason})
	s.clean() // after the result, for which somebody is waiting
}

// giveUpLayers deletes what the container wrote outside its volumes: it may be what
// filled the disk, and without room nobody could even record that the step ended.
func (s *supervisor) giveUpLayers() {
	written, err := filepath.Glob(filepath.Join(s.layers(), "*", "up", "*"))
	if err != nil {
		return // only a malformed pattern
	}
	for _, name := range written {
		_ = os.RemoveAll(name) // what stays is deleted with the container
	}
}

// drain waits until all output is on disk. A process that survived everything
// could hold a pipe open for ever, so the wait has an end.
func (s *supervisor) drain(copied <-chan struct{}) {
	for {
		select {
		case <-copied:
			return
		case err := <-s.out.failed:
			if s.reason == "" {
				s.reason = err.Error()
			}
		case <-time.After(10 * time.Second):
			return
		}
	}
}

// writeExit fills the file that was made at the start, so that a full disk cannot
// swallow the result, and gives it its name.
func (s *supervisor) writeExit(e exitFile) {
	data, err := json.Marshal(e)
	if err != nil {
		return // two plain fields always marshal
	}
	f, err := os.OpenFile(s.path(fileSpare), os.O_RDWR, 0o600)
	if err != nil {
		return // the folder was removed: nobody waits for the result
	}
	defer f.Close()
	if _, err := f.WriteAt(data, 0); err != nil {
		return
	}
	_ = f.Truncate(int64(len(data))) // the reader stops at the end of the JSON value anyway
	_ = os.Rename(s.path(fileSpare), s.path(fileExit))
}

// waitFor reaps every child until the one with this id has ended, and tells its
// status as a shell would.
func waitFor(pid int) int {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(pid, &ws, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return lost
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal())
		case got == pid && ws.Exited():
			return ws.ExitStatus()
		}
	}
}
