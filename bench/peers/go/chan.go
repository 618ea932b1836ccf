// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

const (
	capacity = 128
	parties  = 8
)

func benchPingPong(ops int) {
	ping, pong := make(chan int), make(chan int)
	start := time.Now()
	sum := 0

	go func() {
		for v := range ping {
			pong <- v
		}
		close(pong)
	}()
	for n := 0; n < ops; n++ {
		ping <- n
		sum += <-pong
	}
	perOp("PingPong", start, ops)
	check("PingPong", sum, ops*(ops-1)/2)
	close(ping)
	if _, ok := <-pong; ok {
		check("PingPong", 1, 0)
	}
}

func countUp(out chan<- int, from, to int) {
	for v := from; v < to; v++ {
		out <- v
	}
}

func sumUp(in <-chan int, result *int) {
	sum := 0
	for v := range in {
		sum += v
	}
	*result = sum
}

func benchSPSC(ops int) {
	c := make(chan int, capacity)
	var sender, receiver sync.WaitGroup
	start := time.Now()
	var sum int

	receiver.Add(1)
	go func() {
		defer receiver.Done()
		sumUp(c, &sum)
	}()
	sender.Add(1)
	go func() {
		defer sender.Done()
		countUp(c, 0, ops)
	}()
	sender.Wait()
	close(c)
	receiver.Wait()
	perOp("SPSC", start, ops)
	check("SPSC", sum, ops*(ops-1)/2)
}

func benchMPMC(ops int) {
	c := make(chan int, capacity)
	var senders, receivers sync.WaitGroup
	var sums [parties]int
	start := time.Now()
	share := ops / parties

	for i := 0; i < parties; i++ {
		i := i
		receivers.Add(1)
		go func() {
			defer receivers.Done()
			sumUp(c, &sums[i])
		}()
		senders.Add(1)
		go func() {
			defer senders.Done()
			countUp(c, i*share, (i+1)*share)
		}()
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	perOp("MPMC", start, ops)
	sum := 0
	for _, s := range sums {
		sum += s
	}
	check("MPMC", sum, ops*(ops-1)/2)
}

// kept keeps the channel that was made last reachable: a channel nobody could
// see might not be made at all.
var kept interface{ slots() int }

type kind[T any] struct{ c chan T }

func (k *kind[T]) slots() int { return cap(k.c) }

func makeMany[T any](figure string, ops int) {
	k := &kind[T]{}
	kept = k
	start := time.Now()
	slots := 0

	for n := 0; n < ops; n++ {
		k.c = make(chan T, 8)
		slots += cap(k.c)
	}
	perOp(figure, start, ops)
	check(figure, slots, 8*ops)
	check(figure, kept.slots(), 8)
}

// Freeing is the work of the garbage collector, which runs along.
func benchMakeChan(ops int) {
	makeMany[struct{}]("MakeChan/0", ops)
	makeMany[[1]byte]("MakeChan/1", ops)
	makeMany[[8]byte]("MakeChan/8", ops)
	makeMany[[32]byte]("MakeChan/32", ops)
	makeMany[[40]byte]("MakeChan/40", ops)
}
