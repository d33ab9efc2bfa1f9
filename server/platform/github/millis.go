package github

import "github.com/signalbox/signalbox/server/platform/api"

// Millis is a time as the rows keep it and our own API shows it.
type Millis = api.Millis
