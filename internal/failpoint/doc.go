// Package failpoint is where a process can be told to die, to stand still or to fail: at named places between the steps of durable work.
//
// It owns the list of places and what was armed at the start of the process; not what must hold afterwards; the crash matrix in
// cmd/sutler asks that. Unless something is armed, a place costs the reading of one pointer.
package failpoint
