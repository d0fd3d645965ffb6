package audit

import "context"

// row is a row of audit_rows.
type row struct {
	ID, Org, Project, Who, Via, Action, Object, Detail, MAC string
	At, Seq                                                 int64
}

// tip is the chain's end.
type tip struct {
	Seq        int64
	MAC, Proof string
}

// head is a signed end of the chain.
type head struct {
	Seq, At               int64
	MAC, KeyID, Signature string
}

const columns = `id, org, project, at, who, via, action, object, detail, seq, mac`

func (l *Log) insert(ctx context.Context, r row) error {
	return l.db.From(ctx).Exec(`INSERT INTO audit_rows (id, org, project, at, who, via, action, object, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Org, r.Project, r.At, r.Who, r.Via, r.Action, r.Object, r.Detail).Error
}

func (l *Log) newest(ctx context.Context, org string, limit int) (rows []row, err error) {
	q, args := `SELECT `+columns+` FROM audit_rows`, []any{}
	if org != "" {
		q, args = q+` WHERE org = ?`, append(args, org)
	}
	err = l.db.From(ctx).Raw(q+` ORDER BY at DESC, id DESC LIMIT ?`, append(args, limit)...).Scan(&rows).Error
	return rows, err
}

func (l *Log) pending(ctx context.Context) (n int64, err error) {
	err = l.db.From(ctx).Raw(`SELECT count(*) FROM audit_rows WHERE seq = 0`).Scan(&n).Error
	return n, err
}

func (l *Log) oldestPending(ctx context.Context, limit int) (rows []row, err error) {
	err = l.db.From(ctx).Raw(`SELECT `+columns+` FROM audit_rows WHERE seq = 0 ORDER BY at, id LIMIT ?`, limit).Scan(&rows).Error
	return rows, err
}

func (l *Log) linkedAfter(ctx context.Context, seq int64, limit int) (rows []row, err error) {
	err = l.db.From(ctx).Raw(`SELECT `+columns+` FROM audit_rows WHERE seq > 0 AND seq > ? ORDER BY seq LIMIT ?`, seq, limit).Scan(&rows).Error
	return rows, err
}

func (l *Log) setLink(ctx context.Context, id string, seq int64, mac string) error {
	return l.db.From(ctx).Exec(`UPDATE audit_rows SET seq = ?, mac = ? WHERE id = ?`, seq, mac, id).Error
}

func (l *Log) tip(ctx context.Context) (t tip, err error) {
	err = l.db.From(ctx).Raw(`SELECT seq, mac, proof FROM audit_tip`).Scan(&t).Error
	return t, err
}

// lockTip gives the end and keeps other linkers away until the transaction ends: the write takes the row's lock on both stores.
func (l *Log) lockTip(ctx context.Context) (tip, error) {
	err := l.db.From(ctx).Exec(`INSERT INTO audit_tip (one, seq, mac, proof) VALUES (1, 0, '', '') ON CONFLICT (one) DO UPDATE SET seq = audit_tip.seq`).Error
	if err != nil {
		return tip{}, err
	}
	return l.tip(ctx)
}

func (l *Log) setTip(ctx context.Context, t tip) error {
	return l.db.From(ctx).Exec(`UPDATE audit_tip SET seq = ?, mac = ?, proof = ? WHERE one = 1`, t.Seq, t.MAC, t.Proof).Error
}

func (l *Log) insertHead(ctx context.Context, h head) (fresh bool, err error) {
	x := l.db.From(ctx).Exec(`INSERT INTO audit_heads (seq, mac, at, key_id, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING`,
		h.Seq, h.MAC, h.At, h.KeyID, h.Signature)
	return x.RowsAffected > 0, x.Error
}

func (l *Log) allHeads(ctx context.Context) (heads []head, err error) {
	err = l.db.From(ctx).Raw(`SELECT seq, mac, at, key_id, signature FROM audit_heads ORDER BY seq`).Scan(&heads).Error
	return heads, err
}
