//go:build !linux

package local

import (
	"errors"
	"os/exec"
	"syscall"
)

// errLinux is given wherever a process has to be told from another that got its number: that takes Linux's /proc.
var errLinux = errors.New("servers of one's own are run on Linux only")

func dieWithUs(*syscall.SysProcAttr) {}

func boot() (string, error) { return "", errLinux }

func identify(int) (identity, error) { return identity{}, errLinux }

func (i identity) signal(syscall.Signal) error { return errLinux }

func limited(_ uint64, program string, args []string) (string, []string) { return program, args }

func limitMemory(int, uint64, *syscall.Credential) error { return errLinux }

func inhabitants(string, func(program, below string, uid int) bool) []identity { return nil }

func mapped(uint32) bool { return false }

func flush(string) error { return errLinux }

func launch(*exec.Cmd) error { return errLinux }
