package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strconv"
	"syscall"

	"github.com/sutlerhq/sutler/internal/fault"
)

// listen takes the port before anything else is started, so that a second market on it changes nothing. flag is how the caller names
// the address, for the next step.
func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	host, port, _ := net.SplitHostPort(address)
	number, badPort := strconv.Atoi(port)
	switch {
	case badPort == nil && number > 65535:
		return nil, fault.Invalid.Wrap(err, "It is not possible to listen on %s: ports end at 65535.", address).WithHint("Give another with %s.", flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fault.Invalid.Wrap(err, "%s is no address of this machine.", host).WithHint("Give 127.0.0.1:%s, or 0.0.0.0:%s for all of its addresses, with %s.", port, port, flag)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Conflict.Wrap(err, "Port %s is in use: another process listens on %s.", port, address).
			WithHint("Stop that process (`ss -ltnp 'sport = :%s'` names it), or give another address with %s.", port, flag)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.Invalid.Wrap(err, "This user may not listen on %s.", address).
			WithHint("Ports below 1024 need the capability net_bind_service; give another with %s.", flag)
	}
	return nil, fault.Invalid.Wrap(err, "It is not possible to listen on %s.", address).WithHint("Give host:port with %s.", flag)
}

// portOf reads the number of a port; 0 asks for any that is free.
func portOf(text string) (number int, ok bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil
}
