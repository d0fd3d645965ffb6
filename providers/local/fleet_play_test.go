package local

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// redis prepares a server that keeps every write.
func redis(p Place) (Run, error) {
	path, err := find("redis")
	return Run{Program: path, Args: []string{"--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""}, Stop: syscall.SIGTERM, Memory: 1 << 30}, err
}

// playBroker is the process that holds a fleet and gets killed.
func playBroker(dir string) {
	f, err := OpenFleet(dir, FleetOptions{Kind: "redis", Detached: true})
	if err == nil {
		var p Place
		if p, err = f.Make(context.Background(), "one", redis); err == nil {
			fmt.Println(p.Address)
			select {}
		}
	}
	fmt.Println("error:", err)
	os.Exit(1)
}
