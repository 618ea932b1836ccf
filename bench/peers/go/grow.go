// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const growPairs = 8

// often is a count of operations that makes a run last long enough.
func often(ops, each int) int {
	return max(ops/each, 1)
}

func sincePerOp(start time.Time, ops int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(ops)
}

// growSwitches is one switch among n goroutines that yield.
func growSwitches(n int) float64 {
	var all sync.WaitGroup
	present, turns, stop := 0, 0, false

	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			present++
			for !stop {
				turns++
				runtime.Gosched()
			}
		}()
	}
	for present < n {
		runtime.Gosched()
	}
	begun := turns
	rounds := often(4000000, n+1) + 1
	start := time.Now()
	for i := 0; i < rounds; i++ {
		runtime.Gosched()
	}
	each := sincePerOp(start, turns-begun+rounds)
	stop = true
	all.Wait()
	return each
}

// growMemory is the bytes for each of n goroutines that wait.
func growMemory(n int) float64 {
	gate := make(chan int)
	var all, arrived sync.WaitGroup

	before := memory()
	arrived.Add(n)
	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			arrived.Done()
			<-gate
			all.Done()
		}()
	}
	arrived.Wait()
	each := (memory() - before) / float64(n)
	close(gate)
	all.Wait()
	return each
}

func sendRound(c []chan int, times int) {
	for i := 0; i < times; i++ {
		c[i*stride%len(c)] <- 1
	}
}

// growSelects is one value by a select over n channels of which one gets it.
// A set made at run time needs reflection in Go.
func growSelects(n int) float64 {
	c := make([]chan int, n)
	set := make([]reflect.SelectCase, n)
	ops := often(1000000, n)
	sum := 0

	for i := range c {
		c[i] = make(chan int)
		set[i].Dir = reflect.SelectRecv
		set[i].Chan = reflect.ValueOf(c[i])
	}
	start := time.Now()
	go sendRound(c, ops)
	for i := 0; i < ops; i++ {
		_, v, _ := reflect.Select(set)
		sum += int(v.Int())
	}
	each := sincePerOp(start, ops)
	check("selects", sum, ops)
	return each
}

// growWaiters wakes one out of n that wait for a common channel or their own.
func growWaiters(n int) float64 {
	common := make(chan int)
	own := make([]chan int, n)
	ops := max(500000, n)
	var all sync.WaitGroup

	for i := range own {
		own[i] = make(chan int)
		all.Add(1)
		go func(own chan int) {
			defer all.Done()
			for ok := true; ok; {
				select {
				case <-common:
				case _, ok = <-own:
				}
			}
		}(own[i])
	}
	sendRound(own, n)
	start := time.Now()
	sendRound(own, ops)
	each := sincePerOp(start, ops)
	for _, c := range own {
		close(c)
	}
	all.Wait()
	return each
}

// throughOne is one value through a channel of capacity 128.
func throughOne(senders, receivers int) float64 {
	c := make(chan int, capacity)
	var out, in sync.WaitGroup
	var sum atomic.Int64
	each := 3000000 / senders
	start := time.Now()

	for i := 0; i < receivers; i++ {
		in.Add(1)
		go func() {
			defer in.Done()
			mine := 0
			for v := range c {
				mine += v
			}
			sum.Add(int64(mine))
		}()
	}
	for i := 0; i < senders; i++ {
		out.Add(1)
		go func() {
			defer out.Done()
			for n := 0; n < each; n++ {
				c <- 1
			}
		}()
	}
	out.Wait()
	close(c)
	in.Wait()
	result := sincePerOp(start, each*senders)
	check("throughOne", int(sum.Load()), each*senders)
	return result
}

func growProducers(n int) float64 { return throughOne(n, 1) }

func nothing() {}

// growTimers sets and stops one while n others are pending.
func growTimers(n int) float64 {
	t := make([]*time.Timer, n)
	ops, stopped := 1000000, 0
	after := func(i int) time.Duration {
		return time.Hour + time.Duration(i*stride%n)*time.Millisecond
	}

	for i := range t {
		t[i] = time.AfterFunc(after(i), nothing)
	}
	start := time.Now()
	for i := 0; i < ops; i++ {
		if time.AfterFunc(after(i), nothing).Stop() {
			stopped++
		}
	}
	each := sincePerOp(start, ops)
	check("timers", stopped, ops)
	for _, one := range t {
		one.Stop()
	}
	return each
}

// growPairsOn is one round trip, with eight pairs at it; n is GOMAXPROCS.
func growPairsOn(n int) float64 {
	var all sync.WaitGroup
	each := 200000
	start := time.Now()

	check("pairs-on", runtime.GOMAXPROCS(0), n)
	for i := 0; i < growPairs; i++ {
		to, from := make(chan int), make(chan int)
		all.Add(2)
		go func() {
			defer all.Done()
			for v := range to {
				from <- v
			}
		}()
		go func() {
			defer all.Done()
			for n := 0; n < each; n++ {
				to <- 1
				<-from
			}
			close(to)
		}()
	}
	all.Wait()
	return sincePerOp(start, each*growPairs)
}

func growSharedOn(n int) float64 {
	check("shared-on", runtime.GOMAXPROCS(0), n)
	return throughOne(growPairs, growPairs)
}

func growSpawnsOn(n int) float64 {
	var batch sync.WaitGroup
	ops := 2000000
	start := time.Now()

	check("spawns-on", runtime.GOMAXPROCS(0), n)
	for i := 0; i < ops; i += batchSize {
		for j := 0; j < batchSize; j++ {
			batch.Add(1)
			go batch.Done()
		}
		batch.Wait()
	}
	return sincePerOp(start, ops)
}

var curves = map[string]func(n int) float64{
	"switches": growSwitches, "memory": growMemory, "selects": growSelects,
	"waiters": growWaiters, "producers": growProducers, "timers": growTimers,
	"pairs-on": growPairsOn, "shared-on": growSharedOn,
	"spawns-on": growSpawnsOn,
}

func grow(curve string, n int) {
	point := curves[curve]
	if point == nil || n < 1 {
		fail(fmt.Errorf("no curve %s, or no number", curve))
	}
	fmt.Printf("%s %d %.2f\n", curve, n, point(n))
}
