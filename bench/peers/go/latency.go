// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	hogs     = 4
	yielders = 2
)

var enough atomic.Bool

// computeUntil uses the processor until then.
func computeUntil(then time.Time) {
	for time.Now().Before(then) {
	}
}

// tell prints name-p50, name-p99 and name-p99.9 of v, in microseconds.
func tell(name string, v []time.Duration) {
	slices.Sort(v)
	for _, share := range []struct {
		name string
		part float64
	}{{"p50", .5}, {"p99", .99}, {"p99.9", .999}} {
		at := int(float64(len(v)-1) * share.part)
		figure(name+"-"+share.name, float64(v[at].Nanoseconds())/1e3, "us")
	}
}

// The sender computes all the time, so its thread is of no use to the one that
// hears: another one, idle since quiet, has to wake up.
func wake(name string, quiet time.Duration, ops int) {
	c := make(chan time.Time, 1)
	late := make([]time.Duration, ops)
	var wg sync.WaitGroup

	wg.Add(1)
	go func() {
		defer wg.Done()
		for i := range late {
			late[i] = time.Since(<-c)
		}
	}()
	time.Sleep(time.Millisecond)
	for n := 0; n < ops; n++ {
		computeUntil(time.Now().Add(quiet))
		c <- time.Now()
	}
	wg.Wait()
	tell(name, late)
}

func benchWake(ops int) {
	if runtime.GOMAXPROCS(0) < 2 {
		return
	}
	wake("Wake/50us", 50*time.Microsecond, ops)
	wake("Wake/1ms", time.Millisecond, ops)
}

// The moments are fixed beforehand: one that comes late makes no other one
// later, and is not left out.
func tickUnderLoad(name string, share time.Duration, ops int) {
	late := make([]time.Duration, ops)
	var wg sync.WaitGroup

	enough.Store(false)
	for i := 0; i < hogs; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !enough.Load() {
				computeUntil(time.Now().Add(share))
				runtime.Gosched()
			}
		}()
	}
	first := time.Now().Add(10 * time.Millisecond)
	for n := 0; n < ops; n++ {
		due := first.Add(time.Duration(n) * time.Millisecond)
		if rest := time.Until(due); rest > 0 {
			time.Sleep(rest)
		}
		late[n] = time.Since(due)
	}
	enough.Store(true)
	wg.Wait()
	tell(name, late)
	if late[0] < 0 {
		check(name, 0, 1)
	}
}

func benchTailUnderLoad(ops int) {
	tickUnderLoad("TailUnderLoad/10us", 10*time.Microsecond, ops)
	tickUnderLoad("TailUnderLoad/100us", 100*time.Microsecond, ops)
	tickUnderLoad("TailUnderLoad/10ms", 10*time.Millisecond, ops)
}

func give(out chan<- int) {
	for !enough.Load() {
		out <- 1
	}
	close(out)
}

func take(in <-chan int) {
	for range in {
	}
}

func pollOn(in <-chan int) {
	for !enough.Load() {
		select {
		case <-in:
		default:
			runtime.Gosched()
		}
	}
}

func yieldOn() {
	for !enough.Load() {
		runtime.Gosched()
	}
}

// longestWait is the longest time between two turns of the caller.
func longestWait(during time.Duration) time.Duration {
	last := time.Now()
	end := last.Add(during)
	longest := time.Duration(0)

	for last.Before(end) {
		runtime.Gosched()
		now := time.Now()
		longest = max(longest, now.Sub(last))
		last = now
	}
	return longest
}

// A goroutine that yields, among pairs that hand values to each other, which
// a scheduler may like to keep together, and others that yield or poll.
func benchFairness(ops int) {
	direct, buffered := make(chan int), make(chan int, capacity)
	silent := make(chan int)
	var wg sync.WaitGroup
	start := func(f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}

	start(func() { give(direct) })
	start(func() { take(direct) })
	start(func() { give(buffered) })
	start(func() { take(buffered) })
	start(func() { pollOn(silent) })
	for i := 0; i < yielders; i++ {
		start(yieldOn)
	}
	longest := longestWait(time.Duration(ops) * time.Millisecond)
	figure("Fairness", float64(longest.Nanoseconds())/1e3, "us")
	enough.Store(true)
	wg.Wait()
}
