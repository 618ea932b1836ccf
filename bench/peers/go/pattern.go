// SPDX-License-Identifier: MIT

package main

import (
	"syscall"
	"time"
)

const (
	nodes    = 1000
	children = 10
)

func passOn(in <-chan int, out chan<- int) {
	for hops := range in {
		out <- hops + 1
	}
	close(out)
}

// The caller is the first node: it sends to the first channel and receives
// from the last one.
func benchRing(ops int) {
	var c [nodes]chan int
	start := time.Now()
	hops := 0

	for i := range c {
		c[i] = make(chan int)
	}
	for i := 1; i < nodes; i++ {
		go passOn(c[i-1], c[i])
	}
	for hops < ops {
		c[0] <- hops + 1
		hops = <-c[nodes-1]
	}
	perOp("Ring", start, ops)
	check("Ring", hops, ops)
	close(c[0])
	if _, ok := <-c[nodes-1]; ok {
		check("Ring", 1, 0)
	}
}

func generate(out chan<- int) {
	for i := 2; ; i++ {
		out <- i
	}
}

func filter(in <-chan int, out chan<- int, prime int) {
	for i := range in {
		if i%prime != 0 {
			out <- i
		}
	}
}

// The classic program: the chain is left behind when the last prime is there.
func benchSieve(ops int) {
	start := time.Now()
	c := make(chan int)

	go generate(c)
	prime := <-c
	for n := 1; n < ops; n++ {
		next := make(chan int)
		go filter(c, next, prime)
		c = next
		prime = <-c
	}
	millis("Sieve", start)
	check("Sieve", prime, 17389)
}

// skynet sends the sum of the numbers first to first + count - 1.
func skynet(out chan<- int, first, count int) {
	if count == 1 {
		out <- first
		return
	}
	sums := make(chan int)
	part := count / children
	for i := 0; i < children; i++ {
		go skynet(sums, first+i*part, part)
	}
	sum := 0
	for i := 0; i < children; i++ {
		sum += <-sums
	}
	out <- sum
}

func benchSkynet(ops int) {
	out := make(chan int)
	start := time.Now()

	go skynet(out, 0, ops)
	sum := <-out
	millis("Skynet/time", start)
	check("Skynet", sum, ops*(ops-1)/2)
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	figure("Skynet/peak", float64(usage.Maxrss)/1024, "MB")
}
