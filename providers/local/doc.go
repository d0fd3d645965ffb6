// Package local starts real servers from programs found on this machine, on free loopback ports, in folders of their own.
//
// It owns finding programs, users, folders, ports and the life of the processes it started. It knows nothing of drivers.
package local
