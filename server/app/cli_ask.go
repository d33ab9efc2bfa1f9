package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/config"
)

// askCommand asks the assistant of a server.
func (c *cli) askCommand() *cobra.Command {
	var team, repository string
	var steps bool
	cmd := &cobra.Command{
		Use: "ask QUESTION", Short: `Ask the assistant of SIGNALBOX_URL, with SIGNALBOX_TOKEN: signalbox ask "Which builds are failing?"`, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url, token := config.Client()
			if url == "" || token == "" {
				return errUsage{errors.New("set SIGNALBOX_URL to the server's address and SIGNALBOX_TOKEN to a token with assistant:read and the scopes of what you ask about")}
			}
			in := map[string]string{"team": team, "question": strings.Join(args, " "), "repository": repository, "surface": "cli", "zone": zoneName()}
			return ask(cmd.Context(), strings.TrimRight(url, "/"), token, in, steps, c.out)
		},
	}
	cmd.Flags().StringVar(&team, "team", "main", "the team whose assistant answers")
	cmd.Flags().StringVar(&repository, "repository", "", "owner/name that is meant when the question names none")
	cmd.Flags().BoolVar(&steps, "steps", false, "show what was looked up")
	return cmd
}

// zoneName is this machine's time zone, as far as it has a name.
func zoneName() string {
	if name, err := os.Readlink("/etc/localtime"); err == nil {
		if _, zone, found := strings.Cut(name, "zoneinfo/"); found {
			return zone
		}
	}
	return "UTC"
}

// linkForm is a Markdown link; a terminal shows its address behind it.
var linkForm = regexp.MustCompile(`\[((?:[^\]\\]|\\.)*)\]\((\S+?)\)`)

// escapes are what an answer writes so that foreign text stays text.
var escapes = strings.NewReplacer(`\[`, "[", `\]`, "]", `\*`, "*", `\_`, "_", "\\`", "`", `\|`, "|", `\\`, `\`, "&lt;", "<", "&gt;", ">", "**", "")

func ask(ctx context.Context, url, token string, in map[string]string, steps bool, out io.Writer) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/assistant/ask", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var refused struct{ Title, Detail string }
		if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&refused); err != nil || refused.Title == "" {
			return fmt.Errorf("the server answered %s", answer.Status)
		}
		return errors.New(cmp.Or(refused.Detail, refused.Title))
	}
	var run struct {
		Reading, Status string
		Answer          struct{ Text string }
		Steps           []struct {
			Tool, Result string
			Args         json.RawMessage
			Failed       bool
			Milliseconds int64
		}
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 4<<20)).Decode(&run); err != nil {
		return fmt.Errorf("the server answered %s: %w", answer.Status, err)
	}
	if run.Reading != "" {
		fmt.Fprintln(out, "Read as: "+plain(run.Reading)+"\n")
	}
	for line := range strings.Lines(escapes.Replace(linkForm.ReplaceAllString(run.Answer.Text, "$1 <$2>"))) {
		fmt.Fprintln(out, plain(strings.TrimRight(line, "\n")))
	}
	if steps {
		fmt.Fprintln(out)
		for i, s := range run.Steps {
			fmt.Fprintf(out, "%d. %s %s, %d ms%s\n", i+1, s.Tool, s.Args, s.Milliseconds, map[bool]string{true: ", failed: " + plain(s.Result)}[s.Failed])
		}
	}
	if run.Status == "failed" {
		return errors.New("the question could not be answered")
	}
	return nil
}
