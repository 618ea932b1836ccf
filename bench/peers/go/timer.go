// SPDX-License-Identifier: MIT

package main

import (
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	spread    = time.Second
	headStart = 2 * time.Second
	stride    = 7919
)

func cpuMillis() float64 {
	var u syscall.Rusage

	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func benchTimers100k(ops int) {
	late := make([]time.Duration, ops)
	var wg sync.WaitGroup

	first := time.Now().Add(headStart)
	for n := 0; n < ops; n++ {
		wg.Add(1)
		go func(me int) {
			defer wg.Done()
			step := time.Duration(me * stride % ops)
			due := first.Add(step * spread / time.Duration(ops))
			time.Sleep(time.Until(due))
			late[me] = time.Since(due)
		}(n)
	}
	time.Sleep(time.Until(first.Add(-100 * time.Millisecond)))
	cpu := cpuMillis()
	if !time.Now().Before(first) {
		check("Timers100k", 0, 1)
	}
	wg.Wait()
	cpu = cpuMillis() - cpu
	slices.Sort(late)
	if late[0] < 0 {
		check("Timers100k", 0, 1)
	}
	figure("Timers100k/cpu", cpu, "ms")
	figure("Timers100k/p50", float64(late[ops/2].Nanoseconds())/1e3, "us")
	figure("Timers100k/p99", float64(late[ops/100*99].Nanoseconds())/1e3, "us")
}

func benchTimerStop(ops int) {
	start := time.Now()
	stopped := 0

	for n := 0; n < ops; n++ {
		if time.NewTimer(time.Second).Stop() {
			stopped++
		}
	}
	perOp("TimerStop", start, ops)
	check("TimerStop", stopped, ops)
}

func benchTimerReset(ops int) {
	t := time.NewTimer(time.Hour)
	start := time.Now()
	active := 0

	for n := 0; n < ops; n++ {
		if t.Reset(time.Hour) {
			active++
		}
	}
	perOp("TimerReset", start, ops)
	check("TimerReset", active, ops)
	t.Stop()
}

func benchSelectTimeout(ops int) {
	c := make(chan int)
	sum := 0

	go func() {
		for n := 0; n < ops; n++ {
			c <- 1
		}
	}()
	start := time.Now()
	t := time.NewTimer(time.Second)
	for n := 0; n < ops; n++ {
		t.Reset(time.Second)
		select {
		case v := <-c:
			sum += v
		case <-t.C:
		}
	}
	perOp("SelectTimeout", start, ops)
	check("SelectTimeout", sum, ops)
}
