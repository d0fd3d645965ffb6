package mysql

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
)

// script reads a dump statement by statement. Doing so here and not with the mariadb program keeps its client commands (which run
// programs and read files) out of a stream that a tenant could have written.
type script struct {
	in    *bufio.Reader
	until string // what ends a statement; the word DELIMITER changes it
	text  bytes.Buffer
	quote byte // that we are inside of: ' " ` or 0
	whole bool // the last that was read is the dump's own end
}

// completed is the line that ends a dump.
const completed = "-- Dump completed\n"

var errCut = errors.New("the dump's own end is missing")

// longest is how long one statement of a dump may be: more than any max_allowed_packet.
const longest = 1 << 30

var errLong = errors.New("a statement of the backup is longer than a server accepts")

func newScript(r io.Reader) *script {
	return &script{in: bufio.NewReaderSize(r, 1<<20), until: ";"}
}

// next gives the next statement without what ends it; io.EOF after the dump's own end, and only there. Comments that the server would skip are dropped.
func (s *script) next() (string, error) {
	s.text.Reset()
	for s.text.Len() <= longest {
		if s.blank() && s.quote == 0 {
			if err := s.start(); err != nil {
				return "", err
			}
		}
		c, err := s.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && !s.blank():
			return "", io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF) && !s.whole:
			return "", errCut
		case err != nil:
			return "", err
		}
		s.whole = false
		s.text.WriteByte(c)
		if err := s.step(c); err != nil {
			return "", err
		}
		if s.quote == 0 && bytes.HasSuffix(s.text.Bytes(), []byte(s.until)) {
			out := strings.TrimSpace(strings.TrimSuffix(s.text.String(), s.until))
			if out != "" {
				return out, nil
			}
			s.text.Reset()
		}
	}
	return "", errLong
}

// blank tells whether nothing of a statement has been read yet. The text begins with what is not space, so one byte tells.
func (s *script) blank() bool {
	if s.text.Len() == 1 && strings.ContainsAny(s.text.String(), " \t\r\n") {
		s.text.Reset()
	}
	return s.text.Len() == 0
}

// start skips what may stand before a statement: lines of comment, and the word DELIMITER with its line.
func (s *script) start() error {
	for {
		head, err := s.in.Peek(len("DELIMITER "))
		if err != nil && !errors.Is(err, io.EOF) { // less than that is the end
			return err
		}
		switch {
		case bytes.HasPrefix(head, []byte("--")), bytes.HasPrefix(head, []byte("#")), bytes.HasPrefix(head, []byte("/*M!999999")): // the last forbids client commands: there are none here
			line, err := s.in.ReadString('\n')
			if err != nil {
				return unended(err)
			}
			s.whole = line == completed
		case strings.EqualFold(string(head), "DELIMITER "):
			line, err := s.in.ReadString('\n')
			if err != nil {
				return unended(err)
			}
			s.until = strings.TrimSpace(line[len("DELIMITER "):])
			if s.until == "" {
				return errors.New("the backup changes the delimiter to nothing")
			}
		case len(head) > 0 && strings.ContainsRune(" \t\r\n", rune(head[0])):
			if _, err := s.in.ReadByte(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// unended makes the end of the stream in the middle of something an error of its own.
func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// step follows quotes and comments.
func (s *script) step(c byte) error {
	switch {
	case s.quote != 0 && c == '\\' && s.quote != '`':
		next, err := s.in.ReadByte()
		if err != nil {
			return unended(err)
		}
		s.text.WriteByte(next)
	case s.quote == c:
		s.quote = 0
	case s.quote != 0:
	case c == '\'', c == '"', c == '`':
		s.quote = c
	case c == '#', c == '-' && s.dashes():
		return s.rest("\n") // a quote in a comment opens nothing
	case c == '*' && s.comment():
		return s.rest("*/")
	}
	return nil
}

// dashes tells whether "-- " begins here.
func (s *script) dashes() bool {
	next, _ := s.in.Peek(1) // what reads on meets the error
	return len(next) == 1 && strings.ContainsRune(" \t\n", rune(next[0])) && bytes.HasSuffix(s.text.Bytes(), []byte("--"))
}

// comment tells whether a comment begins here that is none of those which the server reads.
func (s *script) comment() bool {
	next, _ := s.in.Peek(1)
	return bytes.HasSuffix(s.text.Bytes(), []byte("/*")) && (len(next) == 0 || next[0] != '!' && next[0] != 'M')
}

func (s *script) rest(end string) error {
	from := s.text.Len()
	for s.text.Len() <= longest {
		c, err := s.in.ReadByte()
		if err != nil {
			return unended(err)
		}
		s.text.WriteByte(c)
		if bytes.HasSuffix(s.text.Bytes()[from:], []byte(end)) {
			return nil
		}
	}
	return errLong
}

var (
	definer  = regexp.MustCompile("DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*`")
	database = regexp.MustCompile("^ALTER DATABASE `(?:[^`]|``)*` ")
	creates  = regexp.MustCompile(`^(?:CREATE|/\*!\d+ (?:CREATE|DEFINER))`)
)

// adapted makes a statement fit for another database and other accounts: whoever restores it defines what it makes.
func adapted(statement string) string {
	if head := creates.FindString(statement); head != "" {
		if at := definer.FindStringIndex(statement); at != nil && at[0] < definerBefore {
			statement = statement[:at[0]] + statement[at[1]:]
		}
	}
	return database.ReplaceAllString(statement, "ALTER DATABASE ")
}

// definerBefore is how far into a statement its DEFINER may stand; what comes later is a body's own text.
const definerBefore = 120
