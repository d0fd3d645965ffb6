package local

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// patience is how long a server may take to stop before it is killed.
const patience = 10 * time.Second

// process starts a command that dies with us. The kernel ties a parent-death signal to the thread that forked, so one thread stays
// for the child's life.
func process(cmd *exec.Cmd, stopSignal syscall.Signal) (stop func() error, dead <-chan struct{}, err error) {
	started := make(chan error)
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		dieWithUs(cmd.SysProcAttr)
		cmd.SysProcAttr.Setpgid = true
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	var once sync.Once
	return func() error {
		once.Do(func() { _ = cmd.Process.Signal(stopSignal) })
		select {
		case <-done:
			return nil
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-done
			return fmt.Errorf("%s did not stop in %s and was killed", filepath.Base(cmd.Path), patience)
		}
	}, done, nil
}
