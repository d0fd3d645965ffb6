# syntax=docker/dockerfile:1
# Sutler is one static program: it is built here and runs on nothing, as a user that owns nothing but its data folder.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/sutler ./cmd/sutler && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/sutler /sutler
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /var/lib/sutler
USER 65532:65532
VOLUME /var/lib/sutler
EXPOSE 8080
ENTRYPOINT ["/sutler"]
CMD ["serve", "--config", "/etc/sutler/sutler.yaml"]
