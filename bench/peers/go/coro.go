// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

const batchSize = 1000

func benchSwitch(ops int) {
	var pair sync.WaitGroup
	start := time.Now()

	yieldOften := func() {
		for n := 0; n < ops/2; n++ {
			runtime.Gosched()
		}
		pair.Done()
	}
	pair.Add(2)
	go yieldOften()
	go yieldOften()
	pair.Wait()
	perOp("Switch", start, ops)
}

// checkBatch runs one more batch whose goroutines leave a mark, to see that
// all really run before the wait returns.
func checkBatch(name string) {
	var batch sync.WaitGroup
	var marks [batchSize]bool
	seen := 0

	for i := range marks {
		batch.Add(1)
		go func(slot *bool) {
			*slot = true
			batch.Done()
		}(&marks[i])
	}
	batch.Wait()
	for _, m := range marks {
		if m {
			seen++
		}
	}
	check(name, seen, batchSize)
}

func benchSpawn(ops int) {
	var batch sync.WaitGroup
	start := time.Now()

	for n := 0; n < ops; n += batchSize {
		for i := 0; i < batchSize; i++ {
			batch.Add(1)
			go batch.Done()
		}
		batch.Wait()
	}
	perOp("Spawn", start, ops)
	checkBatch("Spawn")
}

func benchWaitGroup(ops int) {
	var wg sync.WaitGroup
	start := time.Now()

	for n := 0; n < ops; n++ {
		wg.Add(1)
		wg.Done()
		wg.Wait()
	}
	perOp("WaitGroup", start, ops)
	checkBatch("WaitGroup")
}
