package slack

import "strings"

// Scopes are what the bot token needs, each with why.
var Scopes = []struct{ Name, Why string }{
	{"app_mentions:read", "hear when it is mentioned"},
	{"assistant:write", "show what it is doing, and suggest questions"},
	{"chat:write", "answer"},
	{"commands", "the slash command"},
	{"im:history", "read direct messages to it"},
	{"im:read", "know direct messages"},
	{"im:write", "answer directly when a channel must not see it"},
	{"channels:history", "hear follow-ups in its threads without a mention"},
	{"channels:read", "check channels that are mapped to teams"},
	{"groups:history", "hear follow-ups in its threads in private channels"},
	{"groups:read", "check private channels that are mapped to teams"},
	{"users:read", "know guests, strangers and time zones"},
	{"users:read.email", "show whose account is being linked"},
}

// SlashCommand is what people type.
const SlashCommand = "/signalbox"

// Manifest is the app's description for Slack's "from a manifest"; with an address it
// uses the Events API there, without one Socket Mode.
func Manifest(name, address string) string {
	var b strings.Builder
	line := func(indent int, text string) { b.WriteString(strings.Repeat("  ", indent) + text + "\n") }
	request := func(indent int, key string) {
		if address != "" {
			line(indent, key+": "+quote(address))
		}
	}
	line(0, "display_information:")
	line(1, "name: "+quote(name))
	line(1, "description: Answers questions about builds, errors, logs, patches and GitHub")
	line(0, "features:")
	line(1, "app_home:")
	line(2, "home_tab_enabled: true")
	line(2, "messages_tab_enabled: true")
	line(2, "messages_tab_read_only_enabled: false")
	line(1, "bot_user:")
	line(2, "display_name: "+quote(strings.ToLower(name)))
	line(2, "always_online: true")
	line(1, "assistant_view:")
	line(2, "assistant_description: Ask about builds, errors, logs, patches and GitHub")
	line(1, "slash_commands:")
	line(2, "- command: "+SlashCommand)
	line(3, "description: Ask, or link your account")
	line(3, `usage_hint: "which builds are failing? | link | unlink | help"`)
	line(3, "should_escape: true")
	request(3, "url")
	line(0, "oauth_config:")
	line(1, "scopes:")
	line(2, "bot:")
	for _, s := range Scopes {
		line(3, "- "+s.Name)
	}
	line(0, "settings:")
	line(1, "event_subscriptions:")
	request(2, "request_url")
	line(2, "bot_events:")
	for _, e := range []string{"app_home_opened", "app_mention", "assistant_thread_started", "message.channels", "message.groups", "message.im"} {
		line(3, "- "+e)
	}
	line(1, "interactivity:")
	line(2, "is_enabled: true")
	request(2, "request_url")
	line(1, "org_deploy_enabled: false")
	if address == "" {
		line(1, "socket_mode_enabled: true")
	} else {
		line(1, "socket_mode_enabled: false")
	}
	line(1, "token_rotation_enabled: false")
	return b.String()
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(text) + `"`
}
