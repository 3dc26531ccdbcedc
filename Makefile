# Jiaozi: build, demo, test. A fresh Debian machine needs only go, make and git.
#
#   make demo    build and play one day of electronic cash, then exit     DATA=dir  ARGS='--lang zh'
#   make test    every test (installs the Debian packages they need when it may)
#   make check   the quick gate before a commit: format, vet, staticcheck, house rules, short tests, and the size of the
#                wallet core for browsers (under 1.1 MB gzipped, internal/wasm)
#   make bench   the measured figures: Go benchmarks, then bin/jiaozi bench
#   make soak    longer fuzzing and kill loops                            FUZZTIME=60s
#   make build   bin/jiaozi
#   make deps    the Debian packages that the tests talk to

DATA ?= jiaozi-data
ARGS ?=
FUZZTIME ?= 60s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1

# A clone owned by another user (containers, CI) makes version stamping fail, and nothing here needs the stamp. Paths are
# trimmed and debugger tables left out, which makes a cold build a fifth cheaper; stack traces keep their lines. The same
# flags everywhere, so that demo and test share one build cache. For a debugger: go build ./cmd/jiaozi.
export GOFLAGS := $(GOFLAGS) -buildvcs=false -trimpath -gcflags=all=-dwarf=false -ldflags=-w

# Pure Go: the same program comes out with and without a C compiler, and package net is not compiled twice.
export CGO_ENABLED := 0

.PHONY: demo test check bench soak build deps
.DEFAULT_GOAL := build

build:
	go build -o bin/jiaozi ./cmd/jiaozi

demo: build
	bin/jiaozi demo --data $(DATA) $(ARGS)

test:
	@scripts/deps auto
	@if scripts/deps missing >/dev/null; then export JIAOZI_DEPS=present; fi; \
	echo "go test -timeout 9m ./..."; go test -timeout 9m ./...

check:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -count=1 ./internal/house
	go test -short ./...

bench: build
	go test -run '^$$' -bench . -benchmem ./...
	bin/jiaozi bench
	bin/jiaozi bench book

soak:
	JIAOZI_SOAK=1 go test -count=1 -timeout 2h ./...
	FUZZTIME=$(FUZZTIME) scripts/fuzz

deps:
	@scripts/deps install
