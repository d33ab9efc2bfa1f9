package slack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// Config is how an app is known to Slack, and how Slack is reached.
type Config struct {
	// BotToken (xoxb-) is for calls, AppToken (xapp-) opens sockets.
	BotToken, AppToken string
	// URL is where the Web API is, with a last slash; Slack's own when empty.
	URL string
	// HTTP makes the calls and Socket opens the websockets: they need other limits.
	HTTP, Socket *http.Client
}

// Client calls Slack as one app in one workspace.
type Client struct {
	config Config
	api    *slack.Client

	mu sync.Mutex
	// scopes are those that Slack's last answer named.
	scopes []string
}

// New makes a client; nothing is called yet.
func New(c Config) *Client {
	client := &Client{config: c}
	options := []slack.Option{slack.OptionAppLevelToken(c.AppToken), slack.OptionHTTPClient(c.HTTP), slack.OptionOnResponseHeaders(client.hear)}
	if c.URL != "" {
		options = append(options, slack.OptionAPIURL(strings.TrimRight(c.URL, "/")+"/"))
	}
	client.api = slack.New(c.BotToken, options...)
	return client
}

// hear keeps the scopes, which Slack names in a header only.
func (c *Client) hear(path string, headers http.Header) {
	list := headers.Get("X-OAuth-Scopes")
	if list == "" || strings.Contains(path, "apps.connections") {
		return
	}
	var scopes []string
	for _, s := range strings.Split(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			scopes = append(scopes, s)
		}
	}
	c.mu.Lock()
	c.scopes = scopes
	c.mu.Unlock()
}

// Self is who the app is in its workspace.
type Self struct {
	Workspace, WorkspaceName, URL string
	// User is the bot's own user, Bot its id as an author of messages.
	User, Bot, Name string
	// Scopes are what the bot token may do.
	Scopes []string
}

// Who asks Slack who the bot token belongs to.
func (c *Client) Who(ctx context.Context) (Self, error) {
	r, err := c.api.AuthTestContext(ctx)
	if err != nil {
		return Self{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return Self{Workspace: r.TeamID, WorkspaceName: r.Team, URL: r.URL, User: r.UserID, Bot: r.BotID, Name: r.User, Scopes: c.scopes}, nil
}

// Person is a user of Slack.
type Person struct {
	ID, Workspace, Name, Email, Zone string
	Deleted, Bot                     bool
	// Guest is restricted to some channels; Stranger belongs to another workspace.
	Guest, Stranger bool
}

// Person asks for a user.
func (c *Client) Person(ctx context.Context, id string) (Person, error) {
	u, err := c.api.GetUserInfoContext(ctx, id)
	if err != nil {
		return Person{}, err
	}
	p := Person{ID: u.ID, Workspace: u.TeamID, Name: u.Profile.DisplayName, Email: u.Profile.Email, Zone: u.TZ, Deleted: u.Deleted, Bot: u.IsBot,
		Guest: u.IsRestricted || u.IsUltraRestricted, Stranger: u.IsStranger}
	if p.Name == "" {
		p.Name = u.RealName
	}
	if p.Name == "" {
		p.Name = u.Name
	}
	return p, nil
}

// Room is a channel as far as the app may see it.
type Room struct {
	ID, Name string
	// Private has members only, Shared is open to another workspace, Member says that the app is in it.
	Private, Shared, Member, Archived bool
}

// Room asks for a channel.
func (c *Client) Room(ctx context.Context, id string) (Room, error) {
	ch, err := c.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return Room{}, err
	}
	return Room{ID: ch.ID, Name: ch.Name, Private: ch.IsPrivate, Shared: ch.IsExtShared || ch.IsShared, Member: ch.IsMember, Archived: ch.IsArchived}, nil
}

// Direct gives the channel of direct messages with a user.
func (c *Client) Direct(ctx context.Context, user string) (string, error) {
	ch, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", err
	}
	return ch.ID, nil
}

// Open asks for the address of a websocket.
func (c *Client) Open(ctx context.Context) (string, error) {
	_, address, err := c.api.StartSocketModeContext(ctx)
	return address, err
}

// Wait says how long Slack asks to be left alone; false when the error is another.
func Wait(err error) (time.Duration, bool) {
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return limited.RetryAfter, true
	}
	return 0, false
}

// Code is the word by which Slack refuses, "" when it did not answer.
func Code(err error) string {
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) {
		return refused.Err
	}
	return ""
}

// Lacking is the scope that a refused call needs, "" when it is refused for something else.
func Lacking(err error) string {
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) && refused.Err == "missing_scope" {
		return refused.Needed
	}
	return ""
}
