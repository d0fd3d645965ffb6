# Sutler's commands. `make demo` shows the main job, `make test` passes everything CI runs. Both work on a fresh Debian machine with Go.
SHELL := /bin/bash
BIN   := .cache/bin
export CGO_ENABLED ?= 0

.PHONY: help build demo test quick race bench crash providers lint vuln fmt clean prepare

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

build: ## bin/sutler and bin/guestbook
	go build -o bin/ ./cmd/sutler ./examples/guestbook

demo: build ## the main job in front of you: two backends, one app, one invoice
	@scripts/demo.sh

prepare:
	@scripts/prepare.sh

test: prepare ## everything, with the race detector, on real servers
	@CGO_ENABLED=1 go test -race -p 4 -timeout 40m ./...

quick: ## the same without servers and browsers
	@go test -short ./...

bench: ## benchmarks as ratios within one run -> docs/benchmarks.md
	@scripts/bench.sh

crash: prepare ## kill -9 at every step of durable work, on both stores -> docs/crash-matrix.md, docs/reliability.md
	@SUTLER_CRASH=$(CURDIR)/docs/crash-matrix.md go test -count=1 -timeout 30m -run CrashMatrix ./cmd/sutler
	@SUTLER_CRASH=yes SUTLER_RELIABILITY=$(CURDIR)/docs/reliability.md go test -count=1 -timeout 25m -run 'Kill|TakeOver|TakesOver|StoreDown|FiftyAtOnce' ./cmd/sutler ./internal/tasks
	@sed '/^## Places/,$$d' docs/crash-matrix.md

providers: export SUTLER_PROVIDERS := $(CURDIR)/.cache/providers
providers: prepare ## every driver by every check, against real servers -> docs/providers.md
	@rm -rf $(SUTLER_PROVIDERS) && mkdir -p $(SUTLER_PROVIDERS)
	@go test -count=1 -timeout 20m -p 1 -run 'TestConformance$$|TestConformanceOf|HowLong' ./providers/...
	@go test -count=1 -run ProvidersDocument ./cmd/sutler

lint: $(BIN)/golangci-lint ## golangci-lint alone: it holds gofumpt, vet and staticcheck
	$(BIN)/golangci-lint run ./...

fmt: $(BIN)/golangci-lint ## put every file in form
	$(BIN)/golangci-lint fmt ./...

vuln: $(BIN)/govulncheck ## known vulnerabilities that our code reaches
	@$(BIN)/govulncheck ./... || { s=$$?; [ $$s -eq 3 ] || echo "make vuln: NOT CHECKED: the vulnerability database could not be reached, see above." >&2; exit $$s; }

$(BIN)/golangci-lint: tools/go.mod
	go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/govulncheck: tools/go.mod
	go build -C tools -o ../$@ golang.org/x/vuln/cmd/govulncheck

clean: ## what was built here
	rm -rf bin .cache
