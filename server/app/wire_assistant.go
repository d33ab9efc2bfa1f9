package app

import (
	"context"

	"github.com/signalbox/signalbox/server/assistant"
)

func (a *App) wireAssistant(context.Context) error {
	a.assistant = assistant.New(assistant.Deps{Tools: a.tools, Version: Version, Now: now, Log: a.log})
	return nil
}
