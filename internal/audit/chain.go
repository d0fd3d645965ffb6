package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/sutlerhq/sutler/internal/tasks"
)

// batch keeps the linker's transactions far below their limit of 2 s.
const batch = 200

// link is the MAC of a row at its place in the chain. Each part is written with its length, so no two rows read the same.
func link(key []byte, before string, seq int64, r row) string {
	return mac(key, "row", before, strconv.FormatInt(seq, 10), r.ID, r.Org, r.Project, strconv.FormatInt(r.At, 10), r.Who, r.Via, r.Action, r.Object, r.Detail)
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

// Link appends what is pending to the chain and tells how many rows. The linker calls it; others may when they cannot wait for it.
func (l *Log) Link(ctx context.Context) (int, error) {
	key, err := l.box.MACKey(ctx, "audit")
	if err != nil {
		return 0, err
	}
	for total := 0; ; {
		n, err := l.linkBatch(ctx, key)
		if total += n; err != nil || n < batch {
			return total, err
		}
	}
}

func (l *Log) linkBatch(ctx context.Context, key []byte) (n int, err error) {
	if pending, err := l.pending(ctx); err != nil || pending == 0 {
		return 0, err
	}
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		end, err := l.lockTip(ctx)
		if err != nil {
			return err
		}
		rows, err := l.oldestPending(ctx, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			end.Seq++
			end.MAC = link(key, end.MAC, end.Seq, r)
			if err := l.setLink(ctx, r.ID, end.Seq, end.MAC); err != nil {
				return err
			}
		}
		n = len(rows)
		return l.setTip(ctx, tip{Seq: end.Seq, MAC: end.MAC, Proof: proof(key, end.Seq, end.MAC)})
	})
	return n, err
}

// headDigest is what a head's signature is over.
func headDigest(h head) []byte {
	d := sha256.Sum256(fmt.Appendf(nil, "sutler audit head\n%d\n%s\n%d\n", h.Seq, h.MAC, h.At))
	return d[:]
}

// sign signs the end of the chain when it has grown since the last head, and tells the log: a copy outside the store is what a
// forger of the whole store cannot reach.
func (l *Log) sign(ctx context.Context) error {
	end, err := l.tip(ctx)
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
