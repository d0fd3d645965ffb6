package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// signRedis appends to a list and reads its end. Redis speaks in lines, so no library is needed.
func signRedis(ctx context.Context, address, entry string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the address is malformed")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return "", err
		}
	}
	r := &redisTalk{to: conn, from: bufio.NewReader(conn)}
	if password, ok := u.User.Password(); ok {
		if _, err := r.say("AUTH", u.User.Username(), password); err != nil {
			return "", err
		}
	}
	n, err := r.say("RPUSH", "guestbook", entry)
	if err != nil {
		return "", err
	}
	last, err := r.say("LINDEX", "guestbook", "-1")
	if err != nil {
		return "", err
	}
	if last != entry {
		return "", fmt.Errorf("the last entry is %q, not ours", last)
	}
	return fmt.Sprintf("%s in the list, the last %q", n, last), nil
}

// redisTalk is a connection to a Redis server.
type redisTalk struct {
	to   io.Writer
	from *bufio.Reader
}

// say sends a command and gives its answer: a status, a number or a text.
func (r *redisTalk) say(words ...string) (string, error) {
	command := fmt.Sprintf("*%d\r\n", len(words))
	for _, w := range words {
		command += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(r.to, command); err != nil {
		return "", err
	}
	line, err := r.from.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if err != nil || line == "" {
		return "", errors.Join(err, io.ErrUnexpectedEOF)
	}
	switch line[0] {
	case '+', ':':
		return line[1:], nil
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 || n > 1<<20 {
			return "", fmt.Errorf("the server answers %q", line)
		}
		text := make([]byte, n+2)
		_, err = io.ReadFull(r.from, text)
		return string(text[:n]), err
	}
	return "", fmt.Errorf("the server answers %q", line)
}
