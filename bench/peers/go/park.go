// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// memory is what the process has now in bytes, page tables included.
func memory() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		fail(err)
	}
	defer f.Close()
	kib := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "VmRSS: %d", &n); err == nil {
			kib += n
		}
		if _, err := fmt.Sscanf(lines.Text(), "VmPTE: %d", &n); err == nil {
			kib += n
		}
	}
	return float64(kib) * 1024
}

func benchPark1M(ops int) {
	gate := make(chan int)
	var arrived, all sync.WaitGroup
	var woken atomic.Int64

	waitAtGate := func() {
		arrived.Done()
		if _, ok := <-gate; !ok {
			woken.Add(1)
		}
		all.Done()
	}
	before := memory()
	start := time.Now()
	arrived.Add(ops)
	for n := 0; n < ops; n++ {
		all.Add(1)
		go waitAtGate()
	}
	arrived.Wait()
	millis("Park1M/create", start)
	figure("Park1M/each", (memory()-before)/float64(ops), "bytes")
	start = time.Now()
	close(gate)
	all.Wait()
	millis("Park1M/wake", start)
	check("Park1M", int(woken.Load()), ops)
}
