package local

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// Secret gives a command a text to read that no other program can: an open file that has had no name since before anything was written to it, so that
// whatever becomes of this process nothing of it is left. path is the file's name for the command; close it when the command has ended.
func Secret(cmd *exec.Cmd, text string) (path string, file io.Closer, err error) {
	f, err := os.CreateTemp("", "sutler-*") // 0600: PostgreSQL's programs refuse a file that others may read
	if err != nil {
		return "", nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return "", nil, errors.Join(err, f.Close())
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return "/dev/fd/" + strconv.Itoa(2+len(cmd.ExtraFiles)), f, nil
}
