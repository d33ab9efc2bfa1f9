// Command signalbox is the server and its command line.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"

	"github.com/signalbox/signalbox/server/app"
)

//go:embed openapi.yaml
var openAPI []byte

func main() {
	app.OpenAPI = openAPI
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
