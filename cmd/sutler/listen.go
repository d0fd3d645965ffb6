package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
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
	_, port, _ := net.SplitHostPort(address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Conflict.Wrap(err, "Port %s is in use: another process listens on %s.", port, address).
			WithHint("Stop that process (`ss -ltnp 'sport = :%s'` names it), or give another address with %s.", port, flag)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.Invalid.Wrap(err, "This user may not listen on %s.", address).
			WithHint("Ports below 1024 need the capability net_bind_service; give another with %s.", flag)
	}
	return nil, fault.Invalid.Wrap(err, "It is not possible to listen on %s.", address).WithHint("Give host:port with %s.", flag)
}
