package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// passphrases asks for passphrases: of a file, of the terminal without showing
// what is typed, or of standard input, a line each.
type passphrases struct {
	file  string
	in    io.Reader
	say   io.Writer
	lines *bufio.Reader
}

func (p *passphrases) ask(what string) (string, error) {
	if p.file != "" {
		data, err := os.ReadFile(p.file)
		return strings.TrimRight(string(data), "\r\n"), err
	}
	fmt.Fprintf(p.say, "Passphrase of %s: ", what)
	if f, ok := p.in.(*os.File); ok && isTerminal(f) {
		defer fmt.Fprintln(p.say)
		show, err := hideTyping(int(f.Fd()))
		if err != nil {
			return "", err
		}
		defer show()
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.in)
	}
	line, err := p.lines.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fmt.Errorf("read the passphrase of %s: %w", what, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// askNew asks twice where somebody types.
func (p *passphrases) askNew(what string) (string, error) {
	first, err := p.ask(what)
	if f, ok := p.in.(*os.File); err != nil || p.file != "" || !ok || !isTerminal(f) {
		return first, err
	}
	second, err := p.ask(what + " again")
	if err == nil && first != second {
		err = errors.New("the two passphrases differ")
	}
	return first, err
}

// hideTyping turns the terminal's echo off; what it returns turns it on again.
func hideTyping(fd int) (show func(), err error) {
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	hidden := *state
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	return func() {
		// There is nobody to tell, and a terminal without echo is mended by `reset`.
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, state)
	}, nil
}
