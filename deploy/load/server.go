package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	user     = "admin"
	password = "load-and-nothing-else"
	team     = "main"
)

// server is the program in a process of its own, with data that go with it.
type server struct {
	url, token string
	data       string
	cmd        *exec.Cmd
	log        *os.File
	ended      chan struct{}
}

// launch starts the program on a free port and signs in.
func launch(ctx context.Context, program, dir string) (*server, error) {
	s := &server{data: filepath.Join(dir, "data"), ended: make(chan struct{})}
	var err error
	if s.log, err = os.Create(filepath.Join(dir, "server.log")); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(program, "serve", "--data-dir", s.data, "--listen", "127.0.0.1:0")
	s.cmd.Env = append(os.Environ(), "SIGNALBOX_ADMIN_USER="+user, "SIGNALBOX_ADMIN_PASSWORD="+password)
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for us; we end it in order
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if _, at, found := strings.Cut(lines.Text(), " on http"); found {
			s.url = "http" + strings.TrimSpace(at)
		}
	}
	s.url = strings.Replace(s.url, "localhost", "127.0.0.1", 1)
	go func() {
		io.Copy(io.Discard, out) // until the program ends, for whatever reason
		s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.signIn(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) signIn(ctx context.Context) error {
	until := time.Now().Add(time.Minute)
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
			return errors.New("the server ended while starting")
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(until) {
			return errors.New("the server did not become ready in a minute")
		}
	}
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}, "scope": {"openid profile email federated:id groups"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/sky/issuer/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("fly", "Zmx5")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := do(r, &answer); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	s.token = answer.AccessToken
	return nil
}

// stop ends the program as an operator does.
func (s *server) stop() error {
	defer s.log.Close()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the server did not end in a minute"), s.cmd.Process.Kill())
	}
}

// call speaks with our own API.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)
	return do(r, out)
}

func do(r *http.Request, out any) error {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", r.Method, r.URL.Path, answer.StatusCode, raw)
	}
	switch to := out.(type) {
	case nil:
		return nil
	case *string:
		*to = string(raw)
		return nil
	}
	return json.Unmarshal(raw, out)
}
