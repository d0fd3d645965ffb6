// Package local starts real servers from programs found on this machine, on free loopback ports, in folders of their own.
//
// It owns finding programs, users, folders, ports and the life of the processes it started: one server that dies with us (PostgreSQL), and a
// Fleet of them, one for each instance, that may also outlive us. A fleet's server is known by its number, its start time and the boot, written
// into its folder; one that was not written down is known by its program, its user and its working folder together. No other process is ever
// signalled. Memory is held by RLIMIT_AS, which counts address space and each process by itself; control groups are not used. It knows nothing
// of drivers.
//
// A service manager that ends everything of a unit together (systemd's KillMode=control-group) ends detached servers with the market: set
// KillMode=process there. A container's end ends them as well; their folders are started again by the next process that opens them.
package local
