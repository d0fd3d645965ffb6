package audit

import "context"

// row is a row of audit_rows.
type row struct {
	ID, Org, Project, Who, Via, Action, Object, Detail, MAC string
	Own                                                     string // the MAC that Append gave it
	At, Seq, Known                                          int64
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

const columns = `id, org, project, at, who, via, action, object, detail, seq, mac, own, known`

func (l *Log) insert(ctx context.Context, r row) error {
	return l.db.From(ctx).Exec(`INSERT INTO audit_rows (id, org, project, at, who, via, action, object, detail, own, known) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Org, r.Project, r.At, r.Who, r.Via, r.Action, r.Object, r.Detail, r.Own, r.Known).Error
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

// pendingAfter pages through what is not linked, by id.
func (l *Log) pendingAfter(ctx context.Context, id string, limit int) (rows []row, err error) {
	err = l.db.From(ctx).Raw(`SELECT `+columns+` FROM audit_rows WHERE seq <= 0 AND id > ? ORDER BY id LIMIT ?`, id, limit).Scan(&rows).Error
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

// begin writes the first end, of a chain without rows.
func (l *Log) begin(ctx context.Context, t tip) error {
	return l.db.From(ctx).Exec(`INSERT INTO audit_tip (one, seq, mac, proof) VALUES (1, ?, ?, ?) ON CONFLICT (one) DO NOTHING`, t.Seq, t.MAC, t.Proof).Error
}

// lockTip gives the end and keeps other linkers away until the transaction ends: the write takes the row's lock on both stores. An end that is gone
// is given as an empty one, whose proof never fits.
func (l *Log) lockTip(ctx context.Context) (tip, error) {
	if err := l.db.From(ctx).Exec(`UPDATE audit_tip SET seq = seq WHERE one = 1`).Error; err != nil {
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

func (l *Log) newestHead(ctx context.Context) (seq int64, err error) {
	err = l.db.From(ctx).Raw(`SELECT COALESCE(MAX(seq), 0) FROM audit_heads`).Scan(&seq).Error
	return seq, err
}

func (l *Log) allHeads(ctx context.Context) (heads []head, err error) {
	err = l.db.From(ctx).Raw(`SELECT seq, mac, at, key_id, signature FROM audit_heads ORDER BY seq`).Scan(&heads).Error
	return heads, err
}
