// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

const senderCount = 4

func benchSelect4(ops int) {
	var c [senderCount]chan int
	var senders sync.WaitGroup
	start := time.Now()
	sum := 0

	for i := range c {
		c[i] = make(chan int)
		senders.Add(1)
		go func(out chan<- int) {
			defer senders.Done()
			for n := 0; n < ops/senderCount; n++ {
				out <- 1
			}
		}(c[i])
	}
	for n := 0; n < ops; n++ {
		select {
		case v := <-c[0]:
			sum += v
		case v := <-c[1]:
			sum += v
		case v := <-c[2]:
			sum += v
		case v := <-c[3]:
			sum += v
		}
	}
	perOp("Select4", start, ops)
	check("Select4", sum, ops)
	senders.Wait()
}

// In Go a try is a select with one case and a default, so both figures are
// taken from the same code.
func tryOne(figure string, c <-chan int, ops int) {
	start := time.Now()
	empty := 0

	for n := 0; n < ops; n++ {
		select {
		case <-c:
		default:
			empty++
		}
	}
	perOp(figure, start, ops)
	check(figure, empty, ops)
}

func benchSelectDefault1(ops int) {
	c := make(chan int)

	tryOne("SelectDefault1/select", c, ops)
	tryOne("SelectDefault1/try", c, ops)
}

func benchSelectDefault2(ops int) {
	a, b := make(chan int), make(chan int)
	start := time.Now()
	empty := 0

	for n := 0; n < ops; n++ {
		select {
		case <-a:
		case <-b:
		default:
			empty++
		}
	}
	perOp("SelectDefault2", start, ops)
	check("SelectDefault2", empty, ops)
}
