# Everything a contributor runs; `make` alone lists it. Needs Go, for `make race` also a C compiler.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The version goes in by -ldflags; stamping by the go command would need a trusted git checkout.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export GOFLAGS := $(GOFLAGS) -buildvcs=false

# Tools, each pinned by a module file of its own, so that none of them moves the gateway's own dependencies.
BUF        := go tool -modfile=tools/buf.mod buf
GOLANGCI   := go tool -modfile=tools/golangci.mod golangci-lint
VULNCHECK  := go tool -modfile=tools/govulncheck.mod govulncheck
IMAGE      := proto/rainbow.image.binpb

# How long each fuzz target runs, what bench passes on, and the users of the company that the engine is measured with.
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
SYNCBENCH ?= 100000

# How many cases of each property, and storms, the engine is proved with.
CASES  ?= 100000
STORMS ?= 2000

# Nothing in gen/ and tools/ runs concurrently.
RACE_PACKAGES = $$(go list ./... | grep -vE '/(gen|tools)/')
PLATFORMS    ?= linux/amd64 linux/arm64 darwin/arm64 windows/amd64

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Show the gateway at work against the embedded Rainbow.
	@go run ./samples/demo -gateway bin/gateway

.PHONY: examples
examples: build examples/typescript/node_modules/.package-lock.json protodeps ## Run the clients in examples/ against the gateway and hold what they print (needs Node with npm).
	@rm -rf examples/typescript/dist
	@$(BUF) generate --template examples/typescript/buf.gen.yaml -o examples/typescript
	@cd examples/typescript && node_modules/.bin/tsc && node --test --test-reporter=spec dist/src/*.test.js
	@cd examples/go && go vet ./... && go test ./... && go build -o ../../bin/example .
	@UPDATE=$(UPDATE) ./examples/run.sh

# What the TypeScript example is built with, exactly as its lockfile says; no package runs a script of its own.
examples/typescript/node_modules/.package-lock.json: examples/typescript/package-lock.json
	@cd examples/typescript && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: run
run: build ## Serve with the embedded Rainbow as upstream (gRPC 9090, REST 8080, admin 9091).
	@bin/gateway serve --upstream sandbox

.PHONY: build
build: ## Build bin/gateway.
	@go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/gateway ./cmd/gateway

.PHONY: test
test: ## Run all tests (only Go needed; free ports; at most 5 minutes).
	@go test -timeout 5m ./...

.PHONY: contract
contract: ## Compare the Rainbow of GATEWAY_CONTRACT_UPSTREAM with its documentation; see docs/contract.md.
	@go test -count=1 -timeout 30m -run '^TestContract$$' -v ./internal/contract

.PHONY: race
race: ## Run the tests of everything that is not generated under the race detector (needs a C compiler).
	@CGO_ENABLED=1 go test -race -timeout 15m $(RACE_PACKAGES)

.PHONY: lint
lint: protodeps ## Judge protos (lint, format, breaking changes), OpenAPI and Go (vet, golangci-lint, known vulnerabilities).
	@echo 'lint: buf lint'; $(BUF) lint proto
	@echo 'lint: buf format'; $(BUF) format --diff --exit-code proto
	@echo 'lint: buf breaking, against $(IMAGE)'; $(BUF) breaking proto --against $(IMAGE)
	@echo 'lint: go vet'; go vet ./... && go vet -C tools/protodeps ./... && go vet -C tools/openapilint ./... && go vet -C examples/go ./...
	@echo 'lint: OpenAPI'; go run -C tools/openapilint . $(CURDIR)/gen/openapi/rainbow.openapi.json $(CURDIR)/gen/openapi/rainbow.swagger.json
	@echo 'lint: golangci-lint'; $(GOLANGCI) run --allow-parallel-runners ./...
	@echo 'lint: govulncheck'; ./tools/vulncheck.sh $(VULNCHECK) ./...

.PHONY: generate
generate: protodeps ## Make gen/ from proto/; plugins and foreign protos are pinned Go modules.
	@mkdir -p .cache && fresh=$$(mktemp -d .cache/generate.XXXXXX) && trap 'rm -rf "$$fresh"' EXIT && \
	$(BUF) generate -o "$$fresh" && \
	$(BUF) build proto -o "$$fresh/image.binpb" && \
	go run ./tools/openapi -image "$$fresh/image.binpb" -catalogue testdata/spec -folder "$$fresh/gen/openapi" && \
	go run ./tools/gencheck -from "$$fresh"

.PHONY: checkgenerate
checkgenerate: generate ## Generate again and fail when gen/ is not what is committed.
	@git diff --exit-code --stat -- gen || { echo 'checkgenerate: gen/ differs from what proto/ says; commit what make generate wrote'; exit 1; }
	@stray=$$(git ls-files --others --exclude-standard -- gen); [ -z "$$stray" ] || { echo "checkgenerate: not committed: $$stray"; exit 1; }

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s).
	@./tools/targets.sh Fuzz | while read -r package target; do \
		echo "fuzz: $$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 2s "$$package" </dev/null; \
	done

.PHONY: prove
prove: ## Prove the sync engine at full size: CASES (100000) of each property, STORMS (2000), a kill at every position (2 to 3 hours on 2 cores).
	@go run ./tools/prove -cases $(CASES) -storms $(STORMS)
	@go test -count=1 -run '^TestAKilledApplyResumes$$' ./cmd/gateway

.PHONY: bench
bench: build ## Run every benchmark for BENCHTIME (1s), with allocations, the doors against a reverse proxy, the engine against a plain loop.
	@./tools/targets.sh Benchmark | cut -d' ' -f1 | uniq | while read -r package; do \
		go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) "$$package" </dev/null; \
	done
	@go run ./tools/doorbench -gateway bin/gateway
	@go run ./tools/syncbench -users $(SYNCBENCH)

.PHONY: bench-large
bench-large: ## Measure planning and recording a company of 1,000,000 users (about 5 minutes, 3 GB in the temporary folder).
	@go run ./tools/syncbench -users 1000000

.PHONY: release
release: test lint checkgenerate protoimage ## Check all, renew the image that buf breaking compares with, build dist/ for all platforms.
	@rm -rf dist && mkdir -p dist
	@for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} suffix=; [ "$$os" != windows ] || suffix=.exe; \
		echo "release: $$platform"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' \
			-o "dist/gateway-$(VERSION)-$$os-$$arch$$suffix" ./cmd/gateway; \
	done
	@cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS
	@git diff --quiet -- $(IMAGE) || echo 'release: commit $(IMAGE): from now on changes are compared with it'

.PHONY: clean
clean: ## Remove what make built; the Go caches stay.
	@rm -rf bin dist .cache examples/typescript/{node_modules,gen,dist}

# Write the foreign .proto files; quick when they are there.
.PHONY: protodeps
protodeps:
	@go run -C tools/protodeps . -out $(CURDIR)/.cache/proto

# Renew the image of proto/ that `make lint` compares with.
.PHONY: protoimage
protoimage: protodeps
	@$(BUF) build proto --exclude-source-info -o $(IMAGE)
