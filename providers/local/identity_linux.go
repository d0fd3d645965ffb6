package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithUs lets the kernel send SIGQUIT to the command's process when the thread that starts it ends. The caller keeps that thread.
func dieWithUs(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }

// boot is the running kernel's id: another one after every boot.
func boot() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// identify names the process that has this number now. One that has ended, waited for or not, is os.ErrNotExist.
func identify(pid int) (identity, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return identity{}, errors.Join(os.ErrNotExist, err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name before may hold anything
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return identity{}, os.ErrNotExist
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return identity{}, err
	}
	id, err := boot()
	return identity{PID: pid, Start: start, Boot: id}, err
}

// signal sends to this very process. It is held by a descriptor while it is compared, so that its number cannot become another's meanwhile.
func (i identity) signal(s syscall.Signal) error {
	fd, err := unix.PidfdOpen(i.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", i.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !i.alive() {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signal process %d: %w", i.PID, err)
	}
	return nil
}

// limited is the command line that holds a program and what it forks to this much address space each (RLIMIT_AS). util-linux's prlimit does
// it in the program's own process and user: no capability of ours is needed.
func limited(memory uint64, program string, args []string) (string, []string) {
	if memory == 0 {
		return program, args
	}
	return "prlimit", append([]string{"--as=" + strconv.FormatUint(memory, 10) + ":", "--", program}, args...)
}

// limitMemory puts another limit on a running process, as the user that it runs as.
func limitMemory(pid int, memory uint64, as *syscall.Credential) error {
	limit := "unlimited"
	if memory > 0 {
		limit = strconv.FormatUint(memory, 10)
	}
	cmd := exec.CommandContext(context.Background(), "prlimit", "--pid", strconv.Itoa(pid), "--as="+limit+":") //nolint:gosec // two numbers
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("limit the memory of process %d: %w: %s", pid, err, lastLine(out))
	}
	return nil
}

// inhabitants finds the processes whose working folder is dir or below, also when it was removed since. Only those count that run one of
// the programs and belong to the user of that folder's servers: a person who looks around in there is nobody's server.
func inhabitants(dir string, ours func(program, below string, uid int) bool) []identity {
	var list []identity
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		id, err := identify(pid)
		if err != nil {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		below, in := strings.CutPrefix(strings.TrimSuffix(cwd, " (deleted)"), dir+"/")
		if err != nil || !in {
			continue
		}
		exe, err := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		if err != nil || !ours(strings.TrimSuffix(exe, " (deleted)"), below, owner(pid)) {
			continue
		}
		list = append(list, id)
	}
	return list
}

// owner is the user that a process runs as, or -1.
func owner(pid int) int {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return -1
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// mapped tells whether this user number exists in our user namespace.
func mapped(uid uint32) bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		var first, outer, count uint64
		if n, _ := fmt.Sscan(line, &first, &outer, &count); n == 3 && uint64(uid) >= first && uint64(uid) < first+count {
			return true
		}
	}
	return false
}

// launch starts a command that outlives us, in a session of its own. While we live we take its end.
func launch(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// flush writes what was written below a folder to its disk: the server that begins with it will not.
func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd())) //nolint:gosec // a descriptor fits
}
