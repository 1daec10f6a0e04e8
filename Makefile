.DEFAULT_GOAL := help
SHELL := /bin/bash
export CGO_ENABLED := 0
GO ?= go
TOOL := $(GO) tool -modfile=tools.mod
# Programs that the lab's stories use besides our own, each with its Debian package.
LAB_TOOLS := ffmpeg:ffmpeg nmap:nmap arpspoof:dsniff nft:nftables ip:iproute2 ethtool:ethtool mkfs.ext4:e2fsprogs systemd-analyze:systemd
BPF_TOOLS := clang-19:clang-19 llvm-strip-19:llvm-19 clang-format-19:clang-format-19
FUZZ_TIME ?= 5s

.PHONY: help
help: ## Show what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: build
build: ## Build the programs into bin/
	@mkdir -p bin
	$(GO) build -trimpath -o bin/ ./cmd/...

.PHONY: demo
demo: build tools ## Raise the lab city, play video and attacks through the gateway, show the scorecard
	bin/citygate-lab demo

.PHONY: test
test: tools-ci build ## All tests: unit, short fuzzing, and as root the lab's stories
	$(GO) vet ./... && $(GO) vet -tags lab ./...
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "not formatted (make format): $$bad"; exit 1; }
	$(MAKE) --no-print-directory unit fuzz lab check-generated

.PHONY: unit
unit: ## Unit tests: no root
	$(GO) test ./...

.PHONY: lab
lab: build ## The lab's stories, in network namespaces of their own (root)
	@if [ $$(id -u) != 0 ]; then echo "NOT RUN: the lab needs root; run: sudo make lab"; else testlab/run; fi

.PHONY: fuzz
fuzz: ## Short fuzzing of each parser of foreign bytes
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' pkg uplink sensors 2>/dev/null); do \
		for name in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]*' $$f | cut -c6-); do \
			FUZZ_TIME=$(FUZZ_TIME) testlab/fuzz $$name ./$$(dirname $$f); \
		done; done

.PHONY: soak
soak: build ## Long runs: fuzzing for minutes, races, a thousand policy swaps, a flood of a million flows
	$(MAKE) --no-print-directory fuzz FUZZ_TIME=2m
	CGO_ENABLED=1 $(GO) test -race ./...
	CITYGATE_SOAK=1 testlab/run

.PHONY: bench-bridge
bench-bridge: ## Cost of the bridge against a plain Linux bridge and nftables (root); writes bench/bridge.json
	@mkdir -p bench
	$(GO) run ./testlab/bench

.PHONY: bench-inspect
bench-inspect: build ## Cost of inspection against Suricata 7.0.10 (root); RULES=FOLDER; writes bench/inspect.json
	@testlab/install mmdebstrap:mmdebstrap
	@mkdir -p bench
	$(GO) run ./testlab/inspectbench $(if $(RULES),-rules $(RULES))

SEED ?= 1
COUNT ?= 300

.PHONY: score-rules
score-rules: ## COUNT rules of RULES drawn by SEED: traffic made from each rule's text must alert, clean twins must not
	$(GO) run ./testlab/rulesample -rules "$(or $(RULES),../shared/data/et-open)" -seed $(SEED) -count $(COUNT) $(if $(SURICATA_ROOT),-suricata $(SURICATA_ROOT))

.PHONY: generate
generate: tools-bpf ## Compile the BPF programs anew (clang 19)
	$(GO) generate ./bpf/... ./testlab/...

.PHONY: check-generated
check-generated: tools-bpf-root ## The committed BPF objects are what the sources give
	@if ! command -v clang-19 >/dev/null; then echo "NOT RUN: check-generated needs clang-19"; else \
	$(MAKE) --no-print-directory generate && git diff --exit-code --stat -- '*.o' '*_bpfel.go'; fi

.PHONY: format
format: ## Format Go and C
	$(TOOL) gofumpt -w $$(git ls-files '*.go' | grep -v _bpfel.go)
	clang-format-19 -i bpf/*.h bpf/*.c

.PHONY: lint
lint: ## staticcheck
	$(TOOL) staticcheck -tags lab ./...

.PHONY: tools tools-ci tools-bpf tools-bpf-root
tools: ; @testlab/install $(LAB_TOOLS)
tools-ci: tools
tools-bpf: ; @testlab/install $(BPF_TOOLS) libbpf-dev
tools-bpf-root: ; @if [ $$(id -u) = 0 ]; then testlab/install $(BPF_TOOLS) libbpf-dev; fi
