package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Report is what Verify found.
type Report struct {
	Linked, Pending int64
	OK              bool
	FirstBad        string // id of the first row that does not fit; "seq N" when the row that had that number is gone
	Reason          string // why it does not fit, for people
	Heads           int64  // signed heads checked
}

// Head is an end that the chain once had, kept outside the store: the log has one for each signature.
type Head struct {
	Seq int64
	MAC string // hex
}

// ParseHead reads SEQ:MAC.
func ParseHead(text string) (Head, error) {
	seq, mac, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if !ok || err != nil || n < 1 || len(mac) != 2*sha256.Size {
		return Head{}, fault.Invalid.Errorf("%q is no head of the audit chain.", text).WithHint("Write SEQ:MAC with the seq and mac of a log line \"audit: head signed\".")
	}
	return Head{Seq: n, MAC: mac}, nil
}

// Verify walks the chain from its beginning to its end, checks every signed head on the way and the heads that were kept outside, and the own
// MACs of the rows that the linker has not reached yet. It needs nothing outside the store to notice rows that were changed, added, moved, or taken
// out of the chain. An old copy of the whole store, and rows deleted before they were linked, it cannot notice; an outside head shows the first.
func (l *Log) Verify(ctx context.Context, outside ...Head) (Report, error) {
	w := &walk{log: l, key: l.key, heads: map[int64]head{}, known: l.seen.Load(), outside: outside}
	// The end is read before the rows: the linker may go on meanwhile, and rows past this end are walked too.
	var err error
	if w.end, err = l.tip(ctx); err == nil {
		var heads []head
		heads, err = l.allHeads(ctx)
		for _, h := range heads {
			w.heads[h.Seq] = h
		}
	}
	if err == nil {
		err = w.run(ctx)
	}
	if err == nil {
		err = w.pending(ctx)
	}
	if err != nil {
		return Report{}, fault.Unavailable.Wrap(err, "The audit trail could not be read.")
	}
	w.report.OK = w.report.Reason == ""
	return w.report, nil
}

// walk is one passage along the chain.
type walk struct {
	log    *Log
	key    []byte
	end    tip
	heads  map[int64]head
	known  int64 // how long the chain was when this process last looked
	seq    int64
	mac    string
	report Report

	outside []Head
}

func (w *walk) run(ctx context.Context) error {
	for {
		rows, err := w.log.linkedAfter(ctx, w.seq, 1000)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := w.step(ctx, r); err != nil || w.report.Reason != "" {
				return err
			}
		}
		if len(rows) == 0 {
			return w.finish(ctx)
		}
	}
}

// step checks one row against the chain so far.
func (w *walk) step(ctx context.Context, r row) error {
	want := link(w.key, w.mac, w.seq+1, r)
	switch {
	case r.Seq != w.seq+1:
		w.bad(fmt.Sprintf("seq %d", w.seq+1), "the row with this number is gone")
	case !hmac.Equal([]byte(want), []byte(r.MAC)):
		w.bad(r.ID, "its content, its place or the row before it was changed")
	case r.Seq == w.end.Seq && w.end.MAC != r.MAC:
		w.bad(r.ID, "the recorded end of the chain is another one")
	}
	if w.report.Reason != "" {
		return nil
	}
	w.seq, w.mac = r.Seq, r.MAC
	w.report.Linked++
	for _, h := range w.outside {
		if h.Seq == r.Seq && !strings.EqualFold(h.MAC, r.MAC) {
			w.bad(r.ID, "it is not the row of the head that was kept outside")
		}
	}
	return w.checkHead(ctx, r)
}

func (w *walk) checkHead(ctx context.Context, r row) error {
	h, ok := w.heads[r.Seq]
	if !ok {
		return nil
	}
	pub, err := w.log.box.PublicKey(ctx, h.KeyID)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	signature, decodeErr := base64.StdEncoding.DecodeString(h.Signature)
	if err != nil || decodeErr != nil || h.MAC != r.MAC || !ecdsa.VerifyASN1(pub, headDigest(h), signature) {
		w.bad(r.ID, "the signed head at this row does not fit")
		return nil //nolint:nilerr // what does not fit is a finding of Verify, not its failure
	}
	w.report.Heads++
	return nil
}

// finish checks that nothing was cut off at the end. The end is read once more: it is never behind the rows that were walked.
func (w *walk) finish(ctx context.Context) error {
	now, err := w.log.tip(ctx)
	if err != nil {
		return err
	}
	last := max(w.end.Seq, w.known)
	for seq := range w.heads {
		last = max(last, seq)
	}
	for _, h := range w.outside {
		last = max(last, h.Seq)
	}
	switch {
	case w.seq < last:
		w.bad(fmt.Sprintf("seq %d", w.seq+1), "the chain ends before its recorded end")
	case !w.end.fits(w.key) || !now.fits(w.key):
		w.bad(fmt.Sprintf("seq %d", w.seq), "the recorded end of the chain was changed or is gone")
	case now.Seq < w.seq || now.Seq == w.seq && now.MAC != w.mac:
		w.bad(fmt.Sprintf("seq %d", w.seq), "the recorded end of the chain is another one")
	}
	return nil
}

// pending checks and counts the rows that wait for their link.
func (w *walk) pending(ctx context.Context) error {
	for last := ""; ; {
		rows, err := w.log.pendingAfter(ctx, last, 1000)
		if err != nil || len(rows) == 0 {
			return err
		}
		end, err := w.log.tip(ctx) // after the rows: they know no longer chain than this one
		if err != nil {
			return err
		}
		for _, r := range rows {
			last = r.ID
			w.report.Pending++
			if w.report.Reason == "" && !r.genuine(w.key, end.Seq) {
				w.bad(r.ID, "it "+notGenuine)
			}
		}
	}
}

func (w *walk) bad(id, reason string) { w.report.FirstBad, w.report.Reason = id, reason }
