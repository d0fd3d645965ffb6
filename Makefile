.PHONY: build quick test
build:
	go build -o bin/sutler ./cmd/sutler
quick:
	go test ./...
test:
	go test -race ./...
