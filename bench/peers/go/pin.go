// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"time"
)

// talkWhilePinned makes round trips of a locked goroutine with one that is
// not.
func talkWhilePinned(trips int) {
	ping, pong := make(chan int), make(chan int)
	done := make(chan bool)
	sum := 0

	go func() {
		for v := range ping {
			pong <- v
		}
		done <- true
	}()
	runtime.LockOSThread()
	start := time.Now()
	for n := 0; n < trips; n++ {
		ping <- n
		sum += <-pong
	}
	perOp("Pin/talk", start, trips)
	runtime.UnlockOSThread()
	check("Pin", sum, trips*(trips-1)/2)
	close(ping)
	<-done
}

func benchPin(ops int) {
	start := time.Now()

	for n := 0; n < ops; n++ {
		runtime.LockOSThread()
		runtime.UnlockOSThread()
	}
	perOp("Pin/call", start, ops)
	talkWhilePinned(ops / 100)
}
