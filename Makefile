# Everything a contributor runs; `make` alone lists it. Needs Go and, for race, a C compiler.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUF := go tool -modfile=tools/buf.mod buf

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: protodeps
protodeps:
	@go run -C tools/protodeps . -out $(CURDIR)/.cache/proto

.PHONY: generate
generate: protodeps ## Make gen/ from proto/ (buf, plugins and foreign protos are pinned Go modules).
	@mkdir -p .cache && fresh=$$(mktemp -d .cache/generate.XXXXXX) && trap 'rm -rf "$$fresh"' EXIT && \
	$(BUF) generate -o "$$fresh" && \
	go run ./tools/gencheck -from "$$fresh"
