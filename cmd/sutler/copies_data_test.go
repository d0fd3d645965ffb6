package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/redis/go-redis/v9"
)

// kept writes a value into a backend by what the app is told of it, and reads it.
type kept struct {
	put func(t *testing.T, vars map[string]string, alias, value string)
	get func(t *testing.T, vars map[string]string, alias string) string
}

func (m *twice) vars() map[string]string {
	m.t.Helper()
	vars, err := m.client().Variables(m.t.Context(), m.at, "guestbook")
	if err != nil {
		m.t.Fatal(err)
	}
	return vars
}

func sqlTable(open func(vars map[string]string, alias string) (driver, dsn string)) kept {
	with := func(t *testing.T, vars map[string]string, alias string, f func(db *sql.DB) error) {
		t.Helper()
		db, err := sql.Open(open(vars, alias))
		if err == nil {
			err = f(db)
			_ = db.Close()
		}
		if err != nil {
			t.Fatal(alias, err)
		}
	}
	return kept{
		put: func(t *testing.T, vars map[string]string, alias, value string) {
			t.Helper()
			with(t, vars, alias, func(db *sql.DB) error {
				for _, text := range []string{"CREATE TABLE IF NOT EXISTS notes (k varchar(20) PRIMARY KEY, v varchar(200))", "DELETE FROM notes", "INSERT INTO notes VALUES ('one', '" + value + "')"} {
					if _, err := db.ExecContext(t.Context(), text); err != nil {
						return err
					}
				}
				return nil
			})
		},
		get: func(t *testing.T, vars map[string]string, alias string) (value string) {
			t.Helper()
			with(t, vars, alias, func(db *sql.DB) error { return db.QueryRowContext(t.Context(), "SELECT v FROM notes").Scan(&value) })
			return value
		},
	}
}

func postgresTable() kept {
	return sqlTable(func(vars map[string]string, alias string) (string, string) { return "pgx", vars[alias+"_URL"] })
}

func mysqlTable() kept {
	return sqlTable(func(vars map[string]string, alias string) (string, string) {
		return "mysql", fmt.Sprintf("%s:%s@tcp(%s:%s)/%s", vars[alias+"_USERNAME"], vars[alias+"_PASSWORD"], vars[alias+"_HOST"], vars[alias+"_PORT"], vars[alias+"_DATABASE"])
	})
}

func redisKey() kept {
	open := func(t *testing.T, vars map[string]string, alias string) *redis.Client {
		t.Helper()
		o, err := redis.ParseURL(vars[alias+"_URL"])
		if err != nil {
			t.Fatal(err)
		}
		c := redis.NewClient(o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	return kept{
		put: func(t *testing.T, vars map[string]string, alias, value string) {
			t.Helper()
			if err := open(t, vars, alias).Set(t.Context(), "one", value, 0).Err(); err != nil {
				t.Fatal(err)
			}
		},
		get: func(t *testing.T, vars map[string]string, alias string) string {
			t.Helper()
			value, err := open(t, vars, alias).Get(t.Context(), "one").Result()
			if err != nil {
				t.Fatal(alias, err)
			}
			return value
		},
	}
}

func minioOf(t *testing.T, host, key, secret string) *minio.Client {
	t.Helper()
	c, err := minio.New(host, &minio.Options{Creds: credentials.NewStaticV4(key, secret, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func s3Object() kept {
	open := func(t *testing.T, vars map[string]string, alias string) (*minio.Client, string) {
		t.Helper()
		u, err := url.Parse(vars[alias+"_ENDPOINT"])
		if err != nil {
			t.Fatal(err)
		}
		return minioOf(t, u.Host, vars[alias+"_ACCESS_KEY_ID"], vars[alias+"_SECRET_ACCESS_KEY"]), vars[alias+"_BUCKET"]
	}
	return kept{
		put: func(t *testing.T, vars map[string]string, alias, value string) {
			t.Helper()
			c, bucket := open(t, vars, alias)
			if _, err := c.PutObject(t.Context(), bucket, "one", strings.NewReader(value), int64(len(value)), minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		},
		get: func(t *testing.T, vars map[string]string, alias string) string {
			t.Helper()
			c, bucket := open(t, vars, alias)
			o, err := c.GetObject(t.Context(), bucket, "one", minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			value, err := io.ReadAll(o)
			if err != nil {
				t.Fatal(alias, err)
			}
			return string(value)
		},
	}
}
