package postgres

import (
	"fmt"
	"time"

	"github.com/sutlerhq/sutler/catalog"
)

// How long a server may take to end and to start again with another size, and to say which it has.
const (
	resizeTime = 20 * time.Second
	askTime    = 3 * time.Second
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	ownConnections = 100 // of a server whose plan does not say

	// reserved are the connections that the market has to itself: its pool, as many of them inside databases, one for the copy whose turn it is,
	// and one for a person.
	reserved = 2*poolSize + 2
	// copiers are those of an instance's copy, which is made with the rights of no superuser.
	copiers = 1
)

// ownPlans are sold where each instance has a server of its own.
func ownPlans() []catalog.Plan {
	list := []catalog.Plan{
		plan("dev", "For trying things out: 128 MiB, 10 connections.", 10, 1*gib),
		plan("small", "For small apps: 512 MiB, 50 connections.", 50, 10*gib),
		plan("large", "For busy apps: 4 GiB, 200 connections.", 200, 100*gib),
	}
	for n, memory := range []int64{128 * mib, 512 * mib, 4 * gib} {
		list[n].Limits["memory_bytes"] = memory
	}
	return list
}

// setting is a parameter of the server that follows from the plan.
type setting struct {
	name  string
	value any
}

// sizes are the server's parameters. PostgreSQL knows no limit of memory: what it shares, and what each query and each upkeep may take, are
// shares of the plan's.
func sizes(p catalog.Plan) []setting {
	most := p.Limits["connections"]
	if most <= 0 {
		most = ownConnections
	}
	list := []setting{
		{"max_connections", most + copiers + 2*reserved}, // the market's count, too, when the server looks whether but reserved ones are left
		{"superuser_reserved_connections", reserved},
		{"jit", "off"}, // it maps much memory for each connection
	}
	if memory := p.Limits["memory_bytes"]; memory > 0 {
		list = append(
			list,
			setting{"shared_buffers", inKiB(max(memory/4, 1*mib))},
			setting{"effective_cache_size", inKiB(max(memory*3/4, 1*mib))},
			setting{"work_mem", inKiB(max(memory/4/most, 256*kib))},
			setting{"maintenance_work_mem", inKiB(max(memory/16, 2*mib))},
			setting{"autovacuum_max_workers", 2},
		)
	}
	if storage := p.Limits["storage_bytes"]; storage > 0 {
		list = append(list, setting{"temp_file_limit", inKiB(storage)}, setting{"max_wal_size", inKiB(min(max(storage/4, 64*mib), 1*gib))}, setting{"min_wal_size", inKiB(32 * mib)})
	}
	return list
}

func inKiB(bytes int64) string { return fmt.Sprintf("%dkB", bytes/kib) }

// size names what a server was started for, to tell whether a running one is as its plan says.
func size(p catalog.Plan) string {
	return fmt.Sprintf("%d-%d-%d", p.Limits["connections"], p.Limits["memory_bytes"], p.Limits["storage_bytes"])
}

// addressSpace is what each of the server's processes may map: its own share comes on top of what all share. It is the wall behind the settings.
func addressSpace(p catalog.Plan) uint64 {
	memory := p.Limits["memory_bytes"]
	if memory <= 0 {
		return 0
	}
	return uint64(2*memory) + gib
}
