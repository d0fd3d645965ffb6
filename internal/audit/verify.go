package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"encoding/base64"
	"fmt"

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

// Verify walks the chain from its beginning to its end and checks every signed head on the way. Rows that the linker has not reached
// yet are counted as pending: they are not protected before.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	key, err := l.box.MACKey(ctx, "audit")
	if err != nil {
		return Report{}, err
	}
	w := &walk{log: l, key: key, heads: map[int64]head{}}
	// The end is read before the rows: the linker may go on meanwhile, and rows past this end are walked too.
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
		w.report.Pending, err = l.pending(ctx)
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
	seq    int64
	mac    string
	report Report
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

// finish checks that nothing was cut off at the end.
func (w *walk) finish(ctx context.Context) (err error) {
	end := w.end
	if end.Seq == 0 { // no end was recorded when the walk began; the linker may have begun since
		if end, err = w.log.tip(ctx); err != nil {
			return err
		}
	}
	last := w.end.Seq
	for seq := range w.heads {
		last = max(last, seq)
	}
	switch {
	case w.seq < last:
		w.bad(fmt.Sprintf("seq %d", w.seq+1), "the chain ends before its recorded end")
	case end.Seq == 0 && w.seq > 0:
		w.bad(fmt.Sprintf("seq %d", w.seq), "the recorded end of the chain is gone")
	case end.Seq > 0 && !hmac.Equal([]byte(proof(w.key, end.Seq, end.MAC)), []byte(end.Proof)):
		w.bad(fmt.Sprintf("seq %d", end.Seq), "the recorded end of the chain was changed")
	}
	return nil
}

func (w *walk) bad(id, reason string) { w.report.FirstBad, w.report.Reason = id, reason }
