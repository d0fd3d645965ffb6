package main

import (
	"errors"
	"syscall"
)

// because says in words why the file system refused.
func because(err error) string {
	reasons := []struct {
		code syscall.Errno
		text string
	}{
		{syscall.ENOENT, "it is not there"},
		{syscall.EISDIR, "it is a folder"},
		{syscall.ENOTDIR, "a part of its path is a file, not a folder"},
		{syscall.EEXIST, "a file of that name is there"},
		{syscall.EACCES, "this user has no permission"},
		{syscall.EPERM, "this user has no permission"},
		{syscall.ENAMETOOLONG, "the name is too long"},
		{syscall.EROFS, "the disk cannot be written"},
		{syscall.ENOSPC, "the disk is full"},
	}
	for _, r := range reasons {
		if errors.Is(err, r.code) {
			return r.text
		}
	}
	return "the system refuses it"
}
