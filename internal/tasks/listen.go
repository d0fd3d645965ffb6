package tasks

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// listen rings the bell when any process on the same PostgreSQL wakes a task. While it is not connected the claiming loop finds what
// is due by its own clock, at most a heartbeat later.
func (e *Engine) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := e.hear(ctx); err != nil && ctx.Err() == nil {
			e.Log.WarnContext(ctx, "tasks: not listening for wake-ups", "err", err)
		}
		pause(ctx, time.Second)
	}
}

func (e *Engine) hear(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, e.db.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		c, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(c) // the connection is given up either way
	}()
	if _, err = conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	e.ring() // for what came while nobody listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload != e.Boot { // our own has been heard already
			e.ring()
		}
	}
}
