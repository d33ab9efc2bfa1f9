package sentry

// Category is the data category of an item type, as named in rate limits and
// client reports. Unknown types are "default".
func Category(itemType string) string {
	return "default"
}
