# Everything a developer or CI does with this repository. `make help` lists it.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Tools are built into the checkout from pinned versions, each in a module of its
# own, so that they never move the versions the product is built with.
TOOLS         := $(CURDIR)/.tools
GOLANGCI_LINT := v2.15.0
GOTESTSUM     := v1.13.0
GOVULNCHECK   := v1.9.0
CRANE         := v0.22.1
REGCTL        := v0.11.7
ORAS          := v1.3.6
CONTAINERD    := v2.4.2
CONFORMANCE   := v0.0.0-20260831232431-97274622c111

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X tallygate/node/version.Version=$(VERSION)
GOFILES := $(shell git ls-files -co --exclude-standard '*.go' 2>/dev/null)

UI_SOURCES := $(shell find ui/assets/src -type f 2>/dev/null) ui/build.mjs ui/package.json ui/package-lock.json
UI_BUILT   := ui/assets/dist/manifest.json

FUZZTIME ?= 60s
DATA     ?= data

.PHONY: help
help: ## List these targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  \033[1m%-11s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build bin/demo ## Build and start a node with a small demonstration catalog, in the foreground
	@exec bin/demo --tallygate bin/tallygate --data-dir $(DATA)

.PHONY: demo
demo: run ## The same as run

.PHONY: build
build: bin/tallygate ## Build bin/tallygate

bin/tallygate: $(GOFILES) go.mod go.sum $(UI_BUILT) | setup-build
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./node/tallygate

bin/demo: $(wildcard scripts/demo/*.go) go.mod go.sum | setup-build
	go build -trimpath -o $@ ./scripts/demo

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json | setup-build
	cd ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(UI_BUILT): $(UI_SOURCES) ui/node_modules/.package-lock.json
	cd ui && node build.mjs

.PHONY: ui
ui: $(UI_BUILT) ## Build the admin UI's assets

.PHONY: setup-build setup-test setup-clients setup-bench
setup-build:
	@scripts/setup/packages.sh build
setup-test:
	@scripts/setup/packages.sh test
setup-clients:
	@scripts/setup/packages.sh clients
setup-bench:
	@scripts/setup/packages.sh bench

.PHONY: test
test: build bin/demo setup-test $(TOOLS)/gotestsum $(TOOLS)/crane ## Unit and end-to-end tests, with the real binary and real clients
	$(TOOLS)/gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg -- -timeout 15m ./...

.PHONY: e2e
e2e: build bin/demo setup-test $(TOOLS)/crane ## Only the end-to-end tests
	go test -count=1 -timeout 20m -v ./scripts/e2e/...

.PHONY: e2e-full
e2e-full: e2e setup-clients conformance $(TOOLS)/regctl $(TOOLS)/oras $(TOOLS)/containerd-2/ctr ## The end-to-end tests with every container client; as root. MATRIX=FILE writes what was run
	go test -count=1 -timeout 20m -v ./scripts/e2e/clients -full $(if $(MATRIX),-write $(abspath $(MATRIX)))

.PHONY: conformance
conformance: build setup-test $(TOOLS)/conformance ## The OCI conformance suite, at a registry and through the gateway
	go test -count=1 -timeout 10m -v -run Conformance ./scripts/e2e

.PHONY: geo
geo: setup-build ## Fetch free network data (countries, networks) into DATA/geo, for the node there to use
	scripts/setup/geo.sh $(DATA)/geo

.PHONY: race
race: $(UI_BUILT) setup-test ## Unit tests under the race detector
	go test -race -timeout 25m $$(go list ./... | grep -v /scripts/)

.PHONY: fuzz
fuzz: $(UI_BUILT) ## Every fuzz target for FUZZTIME each (60s)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: build setup-bench ## Ratios against a bare handler, paired in one run
	go run ./scripts/bench -tallygate bin/tallygate

.PHONY: check
check: format-check vet lint generated vulnerabilities ## Format, vet, lint, generated files, known vulnerabilities

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## Format the code
	$(TOOLS)/golangci-lint fmt ./...

.PHONY: lint
lint: $(UI_BUILT) $(TOOLS)/golangci-lint ## Lint
	$(TOOLS)/golangci-lint run ./...

.PHONY: format-check vet generated vulnerabilities
format-check: $(TOOLS)/golangci-lint
	@out=$$($(TOOLS)/golangci-lint fmt --diff ./... || true); \
	  if [ -n "$$out" ]; then echo "$$out" | head -50; echo "not formatted: run 'make fmt'" >&2; exit 1; fi
vet: $(UI_BUILT)
	go vet ./...
generated:
	go mod verify
	go mod tidy -diff
	@if grep -n '"resolved"' ui/package-lock.json; then \
	  echo "ui/package-lock.json carries download addresses: run 'npm install' in ui/ with its .npmrc" >&2; exit 1; fi
vulnerabilities: $(TOOLS)/govulncheck
	@scripts/vulnerabilities.sh $(TOOLS)/govulncheck

$(TOOLS)/golangci-lint: | setup-build
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
$(TOOLS)/gotestsum: | setup-build
	GOBIN=$(TOOLS) go install gotest.tools/gotestsum@$(GOTESTSUM)
$(TOOLS)/conformance: | setup-build
	GOBIN=$(TOOLS) go install github.com/opencontainers/distribution-spec/conformance@$(CONFORMANCE)
$(TOOLS)/crane: | setup-build
	GOBIN=$(TOOLS) go install github.com/google/go-containerregistry/cmd/crane@$(CRANE)
$(TOOLS)/regctl: | setup-build
	GOBIN=$(TOOLS) go install github.com/regclient/regclient/cmd/regctl@$(REGCTL)
$(TOOLS)/oras: | setup-build
	GOBIN=$(TOOLS) go install oras.land/oras/cmd/oras@$(ORAS)
$(TOOLS)/containerd-2/ctr: | setup-build
	GOBIN=$(TOOLS)/containerd-2 go install github.com/containerd/containerd/v2/cmd/containerd@$(CONTAINERD) github.com/containerd/containerd/v2/cmd/ctr@$(CONTAINERD)
$(TOOLS)/govulncheck: | setup-build
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)

.PHONY: clean
clean: ## Remove what was built (not DATA)
	rm -rf bin .tools ui/node_modules
	find ui/assets/dist -type f ! -name .gitkeep -delete
