// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

var (
	mutex   sync.Mutex
	rwmutex sync.RWMutex
	counter int // under one of the locks
)

func benchMutex(ops int) {
	start := time.Now()

	for n := 0; n < ops; n++ {
		mutex.Lock()
		counter++
		mutex.Unlock()
	}
	perOp("Mutex", start, ops)
	check("Mutex", counter, ops)
}

// together runs n goroutines and waits for all of them.
func together(n int, f func()) {
	var all sync.WaitGroup

	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			f()
			all.Done()
		}()
	}
	all.Wait()
}

func benchMutexContended(ops int) {
	start := time.Now()

	together(parties, func() {
		for n := 0; n < ops/parties; n++ {
			mutex.Lock()
			counter++
			mutex.Unlock()
		}
	})
	perOp("MutexContended", start, ops)
	check("MutexContended", counter, ops)
}

func benchMutexSpin(ops int) {
	start := time.Now()
	workers := runtime.GOMAXPROCS(0)

	together(workers, func() {
		data := make([]uint64, 16<<10)
		for n := 0; n < ops/workers; n++ {
			mutex.Lock()
			counter++
			mutex.Unlock()
			for i := 0; i < len(data); i += 4 {
				data[i]++
			}
		}
	})
	perOp("MutexSpin", start, ops)
	check("MutexSpin", counter, ops/workers*workers)
}

// runRWMutex makes each writeEach-th access a write; 0: none is.
func runRWMutex(name string, ops, writeEach int) {
	start := time.Now()
	workers := runtime.GOMAXPROCS(0)
	each := ops / workers

	together(workers, func() {
		seen := 0
		for i := 1; i <= each; i++ {
			if writeEach != 0 && i%writeEach == 0 {
				rwmutex.Lock()
				counter++
				rwmutex.Unlock()
				continue
			}
			rwmutex.RLock()
			if counter < seen {
				fail(errors.New("order"))
			}
			seen = counter
			rwmutex.RUnlock()
		}
	})
	perOp(name, start, ops)
	want := 0
	if writeEach != 0 {
		want = each / writeEach * workers
	}
	check(name, counter, want)
}

func benchRWMutex(ops int)         { runRWMutex("RWMutex", ops, 0) }
func benchRWMutexWrite100(ops int) { runRWMutex("RWMutexWrite100", ops, 100) }
func benchRWMutexWrite10(ops int)  { runRWMutex("RWMutexWrite10", ops, 10) }

func countOnce() {
	counter++
}

func benchOnce(ops int) {
	var once sync.Once

	once.Do(countOnce)
	start := time.Now()
	for n := 0; n < ops; n++ {
		once.Do(countOnce)
	}
	perOp("Once", start, ops)
	check("Once", counter, 1)
}

func runCond(name string, ops, waiters int) {
	allHere := sync.NewCond(&sync.Mutex{})
	rounds := ops / (waiters + 1)
	here, done := 0, 0
	start := time.Now()

	together(waiters+1, func() {
		for n := 0; n < rounds; n++ {
			allHere.L.Lock()
			here++
			if here > waiters {
				here = 0
				done++
				allHere.Broadcast()
			} else {
				allHere.Wait()
			}
			allHere.L.Unlock()
		}
	})
	perOp(name, start, rounds*(waiters+1))
	check(name, done, rounds)
}

func benchCond(ops int) {
	runCond("Cond/1", ops, 1)
	runCond("Cond/8", ops, 8)
	runCond("Cond/32", ops, 32)
}

func benchSemaphore(ops int) {
	units := make(chan struct{}, 2)
	acquireOften := func(n int) {
		for ; n > 0; n-- {
			units <- struct{}{}
			<-units
		}
	}
	start := time.Now()

	acquireOften(ops)
	perOp("Semaphore/alone", start, ops)
	start = time.Now()
	together(parties, func() { acquireOften(ops / parties) })
	perOp("Semaphore/shared", start, ops)
	check("Semaphore", len(units), 0)
}
