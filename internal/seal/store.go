package seal

import (
	"context"
	"time"
)

// keyRecord is a row of purpose_keys.
type keyRecord struct {
	ID, Algorithm, Purpose, Public, Private string
}

func (b *Box) anyDataKey(ctx context.Context) (bool, error) {
	var n int64
	err := b.db.From(ctx).Raw(`SELECT count(*) FROM data_keys`).Scan(&n).Error
	return n > 0, err
}

// storedDataKey gives "" when the org has none.
func (b *Box) storedDataKey(ctx context.Context, org string) (wrapped string, err error) {
	err = b.db.From(ctx).Raw(`SELECT keyset FROM data_keys WHERE org = ?`, org).Scan(&wrapped).Error
	return wrapped, err
}

// saveDataKey stores the first key of an org and gives the one that won.
func (b *Box) saveDataKey(ctx context.Context, org, mine string) (wrapped string, err error) {
	err = b.db.Tx(ctx, func(ctx context.Context) error {
		err := b.db.From(ctx).Exec(`INSERT INTO data_keys (org, keyset, created_at) VALUES (?, ?, ?) ON CONFLICT (org) DO NOTHING`,
			org, mine, time.Now().UnixMicro()).Error
		if err != nil {
			return err
		}
		wrapped, err = b.storedDataKey(ctx, org)
		return err
	})
	return wrapped, err
}

// storedKey gives the newest key of a purpose; its ID is "" when there is none.
func (b *Box) storedKey(ctx context.Context, algorithm, purpose string) (row keyRecord, err error) {
	err = b.db.From(ctx).Raw(`SELECT id, algorithm, purpose, public, private FROM purpose_keys WHERE algorithm = ? AND purpose = ? ORDER BY number DESC LIMIT 1`,
		algorithm, purpose).Scan(&row).Error
	return row, err
}

// saveKey stores the first key of a purpose and gives the one that won.
func (b *Box) saveKey(ctx context.Context, mine keyRecord) (row keyRecord, err error) {
	err = b.db.Tx(ctx, func(ctx context.Context) error {
		err := b.db.From(ctx).Exec(`INSERT INTO purpose_keys (id, algorithm, purpose, number, public, private, created_at) VALUES (?, ?, ?, 1, ?, ?, ?)
 ON CONFLICT (algorithm, purpose, number) DO NOTHING`, mine.ID, mine.Algorithm, mine.Purpose, mine.Public, mine.Private, time.Now().UnixMicro()).Error
		if err != nil {
			return err
		}
		row, err = b.storedKey(ctx, mine.Algorithm, mine.Purpose)
		return err
	})
	return row, err
}

// storedSigningKey gives a signing key by its id; its ID is "" when there is none.
func (b *Box) storedSigningKey(ctx context.Context, id string) (row keyRecord, err error) {
	err = b.db.From(ctx).Raw(`SELECT id, algorithm, purpose, public, private FROM purpose_keys WHERE id = ? AND algorithm = ?`, id, es256).Scan(&row).Error
	return row, err
}
