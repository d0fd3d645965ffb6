package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// batch keeps the linker's transactions far below their limit of 2 s.
const batch = 200

const notGenuine = "was not written by this market, or was changed before it was linked"

// link is the MAC of a row at its place in the chain. Each part is written with its length, so no two rows read the same.
func link(key []byte, before string, seq int64, r row) string {
	parts := append([]string{"row", before, strconv.FormatInt(seq, 10)}, r.content()...)
	if r.Own != "" { // rows from before there were own MACs are linked without
		parts = append(parts, r.Own, strconv.FormatInt(r.Known, 10))
	}
	return mac(key, parts...)
}

// own is the MAC that a row gets when it is written, before it has a place.
func own(key []byte, r row) string {
	return mac(key, append([]string{"own", strconv.FormatInt(r.Known, 10)}, r.content()...)...)
}

func (r row) content() []string {
	return []string{r.ID, r.Org, r.Project, strconv.FormatInt(r.At, 10), r.Who, r.Via, r.Action, r.Object, r.Detail}
}

// genuine tells whether a row that waits is as the market wrote it, when the chain was no longer than end.
func (r row) genuine(key []byte, end int64) bool {
	return hmac.Equal([]byte(own(key, r)), []byte(r.Own)) && r.Known <= end
}

// fits tells whether the end was written with the key.
func (t tip) fits(key []byte) bool {
	return hmac.Equal([]byte(proof(key, t.Seq, t.MAC)), []byte(t.Proof))
}

// proof authenticates the chain's end.
func proof(key []byte, seq int64, end string) string {
	return mac(key, "tip", strconv.FormatInt(seq, 10), end)
}

func mac(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		_, _ = io.WriteString(h, p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Link appends what is pending to the chain and tells how many rows. The linker calls it; others may when they cannot wait for it. It refuses
// to build on what was tampered with (fault.Conflict) and says so in the log; deeds go on and their rows wait.
func (l *Log) Link(ctx context.Context) (int, error) {
	for total := 0; ; {
		n, err := l.linkBatch(ctx)
		if errors.Is(err, fault.Conflict) {
			l.engine.Log.ErrorContext(ctx, "audit: the trail was tampered with, nothing more is linked or signed; run `sutler audit verify`", "why", err)
		}
		if total += n; err != nil || n < batch {
			return total, err
		}
	}
}

func (l *Log) linkBatch(ctx context.Context) (n int, err error) {
	if pending, err := l.pending(ctx); err != nil || pending == 0 {
		if err == nil {
			_, err = l.end(ctx, l.tip)
		}
		return 0, err
	}
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		end, err := l.end(ctx, l.lockTip)
		if err != nil {
			return err
		}
		rows, err := l.oldestPending(ctx, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if !r.genuine(l.key, end.Seq) {
				return fault.Conflict.Errorf("The audit row %s %s.", r.ID, notGenuine)
			}
		}
		for _, r := range rows {
			end.Seq++
			end.MAC = link(l.key, end.MAC, end.Seq, r)
			if err := l.setLink(ctx, r.ID, end.Seq, end.MAC); err != nil {
				return err
			}
		}
		n = len(rows)
		l.db.AfterCommit(ctx, func() { l.saw(end.Seq) })
		return l.setTip(ctx, tip{Seq: end.Seq, MAC: end.MAC, Proof: proof(l.key, end.Seq, end.MAC)})
	})
	return n, err
}

// end reads the chain's end and refuses one that was not written with the key, or that is behind what is known of the chain.
func (l *Log) end(ctx context.Context, read func(context.Context) (tip, error)) (tip, error) {
	known := l.seen.Load() // before reading: the end only grows
	signed, err := l.newestHead(ctx)
	if err != nil {
		return tip{}, err
	}
	end, err := read(ctx)
	if err != nil {
		return tip{}, err
	}
	if !end.fits(l.key) {
		return tip{}, fault.Conflict.Errorf("The recorded end of the audit chain (row %d) was changed or is gone.", end.Seq)
	}
	if known = max(known, signed); end.Seq < known {
		return tip{}, fault.Conflict.Errorf("The recorded end of the audit chain went back from row %d to row %d.", known, end.Seq)
	}
	l.db.AfterCommit(ctx, func() { l.saw(end.Seq) })
	return end, nil
}

// saw remembers that the chain was this long.
func (l *Log) saw(seq int64) {
	for {
		known := l.seen.Load()
		if seq <= known || l.seen.CompareAndSwap(known, seq) {
			return
		}
	}
}

// headDigest is what a head's signature is over.
func headDigest(h head) []byte {
	d := sha256.Sum256(fmt.Appendf(nil, "sutler audit head\n%d\n%s\n%d\n", h.Seq, h.MAC, h.At))
	return d[:]
}

// sign signs the end of the chain when it has grown since the last head, and tells the log: a copy outside the store is what a
// forger of the whole store cannot reach.
func (l *Log) sign(ctx context.Context) error {
	end, err := l.end(ctx, l.tip)
	if err != nil || end.Seq == 0 {
		return err
	}
	key, id, err := l.box.SigningKey(ctx, "audit")
	if err != nil {
		return err
	}
	h := head{Seq: end.Seq, MAC: end.MAC, At: time.Now().UnixMicro(), KeyID: id}
	signature, err := ecdsa.SignASN1(rand.Reader, key, headDigest(h))
	if err != nil {
		return err
	}
	h.Signature = base64.StdEncoding.EncodeToString(signature)
	var fresh bool
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		fresh, err = l.insertHead(ctx, h)
		return err
	})
	if err == nil && fresh {
		l.engine.Log.InfoContext(ctx, "audit: head signed", "seq", h.Seq, "mac", h.MAC, "key", h.KeyID, "signature", h.Signature)
	}
	return err
}
