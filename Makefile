# Signalbox. `make` or `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED := 0
export GOFLAGS := -trimpath $(GOFLAGS) # so that the tests and the binaries share what is compiled

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/signalbox/signalbox/server/app.Version=$(VERSION)
WEB_SOURCES := package.json package-lock.json $(shell find web -path web/dist -prune -o -type f -print 2>/dev/null)
GO_SOURCES := go.mod go.sum $(shell find server agents bots migrations web -name '*.go' -o -name '*.sql' -o -name '*.yaml' 2>/dev/null)

.PHONY: help run demo build agents test check bench soak web lint fmt generate clean packages packages-test deb deploy-check packages-soak load soak-hour

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: packages build ## install what is missing, build, and serve http://localhost:8080 with data in ./data
	./bin/signalbox serve --data-dir ./data

demo: packages build ## the same with a sample team, repository and pipeline, in ./data-demo
	./bin/signalbox demo --data-dir ./data-demo

build: bin/signalbox bin/signalbox-agent ## static binaries in bin/, the user interface inside

bin/signalbox: web/dist/index.html $(GO_SOURCES)
	go build -ldflags '$(LDFLAGS)' -o $@ ./server

bin/signalbox-agent: $(GO_SOURCES)
	go build -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./agents

bin/signalbox-agent-linux-arm64: $(GO_SOURCES)
	GOARCH=arm64 go build -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./agents

agents: bin/signalbox-agent bin/signalbox-agent-linux-arm64 ## the agent for both kinds of machines; the server gives out what lies beside it

web: web/dist/index.html ## build the user interface

node_modules/.installed: package.json package-lock.json
	npm install --no-audit --no-fund --loglevel=error # not ci: it insists on other platforms' optional packages, which mirrors lack
	@touch $@

web/dist/index.html: node_modules/.installed $(WEB_SOURCES)
	npm run --silent build

packages:
	@./deploy/ensure-packages.sh run

packages-test:
	@./deploy/ensure-packages.sh test

packages-soak:
	@./deploy/ensure-packages.sh soak

# What stands on containers, files and protocols alone, and asks the database nothing of its own.
NOT_ON_POSTGRES = ManualCommands|AnswersShown|Traces|BadRegistry|KilledInsideAContainer|KilledWhileGetting|KilledResourceScript|DiskFull|ChainOfResourceTypes|Hostile|NeverEnds|LargeAttachments|ManyFingerprints|ImportLaw|EveryPackage|FileNames|BundleFromInventory|BundleBuild|BundleKeys|LogCommands|DemoLogs|MCP|MemoryLimit|HostImage|ReportsOfARealTask|SpecAndRoutes|ReplayOfFly|BuildLinesSurvive|DemoFleet|DemoErrors|ManualCommands|StoppedWhileBuilding|LandedWorker|HowBuildsEnd|AbortWhileRunning|HostImageForbidden|AgentPatchesMachines|ChecksSay

test: packages-test build check ## everything: checks, Go on SQLite and PostgreSQL, web, browser
	TEST_BINARY=$(CURDIR)/bin/signalbox go test ./...
	TEST_BINARY=$(CURDIR)/bin/signalbox ./deploy/with-postgres.sh go test -skip '$(NOT_ON_POSTGRES)' $$(go list -f '{{if .TestGoFiles}}{{.ImportPath}}{{"\n"}}{{end}}{{if .XTestGoFiles}}{{.ImportPath}}{{end}}' ./server/accounts ./server/assistant ./server/ci ./server/edge ./server/issues ./server/logs ./server/system ./server/platform/... ./server/app | sort -u)
	npm run --silent test
	npm run --silent e2e

check: node_modules/.installed web/dist/index.html ## format, vet, lint, types, generated files, and our limits
	@test -z "$$(gofmt -l server agents bots migrations web/*.go)" || { echo "run make fmt:"; gofmt -l server agents bots migrations web/*.go; exit 1; }
	go vet ./...
	npm run --silent lint
	npm run --silent typecheck
	@npx --no-install openapi-typescript server/openapi.yaml -o node_modules/.schema.gen.ts >/dev/null 2>&1 && diff -q node_modules/.schema.gen.ts web/src/api/schema.gen.ts >/dev/null || { echo "web/src/api/schema.gen.ts is stale: run make generate"; exit 1; }
	@if [ -d ../shared/tools ]; then python3 ../shared/tools/measure.py --gate .; fi

bench: build ## the speed figures, each beside the load average
	go test -timeout 60m -run '^$$' -bench . -benchtime 1s ./server/... ./agents/... | grep -v '^PASS\|no test files'
	npx --no-install vitest bench --run --config web/vitest.e2e.config.ts edge-grid
	@cat /proc/loadavg

soak: packages-soak build ## the long forms of the failure tests
	SIGNALBOX_SOAK=1 go test -count=1 -timeout 60m -run 'Soak|Kill' ./server/...
	SIGNALBOX_SOAK=1 go test -count=1 -timeout 60m -run 'Soak|Kill|TwoNodes|ApplyFile|Failures' ./agents/...

# k6 comes as a Go module; it takes some minutes to build, once. More settings: go run ./deploy/load -h.
K6 := v1.4.0
LOAD = go run ./deploy/load

bin/k6-$(K6):
	GOBIN=$(CURDIR)/bin go install go.k6.io/k6@$(K6) && mv bin/k6 $@

load: packages bin/signalbox bin/k6-$(K6) ## k6 on every intake and on browsing (LOAD_SCALE=2 LOAD_FOR=60s LOAD_PATIENCE=4 LOAD_ONLY=loki,edge)
	$(LOAD) -k6 bin/k6-$(K6) -scale $${LOAD_SCALE:-1} -for $${LOAD_FOR:-20s} -patience $${LOAD_PATIENCE:-1} -only "$${LOAD_ONLY:-}"

soak-hour: packages bin/signalbox bin/k6-$(K6) ## all of them together for an hour at half of what this machine takes; judges memory and queues (LOAD_SCALE, LOAD_FOR, LOAD_PATIENCE)
	$(LOAD) -k6 bin/k6-$(K6) -soak -scale $${LOAD_SCALE:-0} -for $${LOAD_FOR:-60m} -patience $${LOAD_PATIENCE:-1} -report bin/soak.txt

deb: build ## a Debian package in bin/ (nfpm from the Go proxy)
	ARCH=$$(go env GOARCH) VERSION=$(patsubst v%,%,$(VERSION)) go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.41.0 package --config deploy/deb/nfpm.yaml --packager deb --target bin/

deploy-check: ## deploy/ by its own tools, those that are installed
	@./deploy/check.sh

generate: node_modules/.installed ## TypeScript types from server/openapi.yaml
	npm run --silent generate

fmt: node_modules/.installed ## format Go and TypeScript
	gofmt -w server agents bots migrations web/*.go
	npm run --silent lint -- --fix

clean: ## remove what was built
	rm -rf bin web/dist/* node_modules
