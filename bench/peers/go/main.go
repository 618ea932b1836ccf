// SPDX-License-Identifier: MIT

// The workloads of ../../weft written in Go, called in the same way:
//
//	go-bench ROW [OPS]	run one row, print its figures
//	go-bench list		name and number of operations of each row
//	go-bench version
//	go-bench grow CURVE N	one point of a curve of bench/growth.sh
//
// GOMAXPROCS says on how many threads.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

type row struct {
	name string
	ops  int
	run  func(ops int)
}

var rows = []row{
	{"Switch", 10000000, benchSwitch},
	{"Spawn", 4000000, benchSpawn},
	{"PingPong", 3000000, benchPingPong},
	{"SPSC", 20000000, benchSPSC},
	{"MPMC", 8000000, benchMPMC},
	{"Select4", 3000000, benchSelect4},
	{"SelectDefault1", 50000000, benchSelectDefault1},
	{"SelectDefault2", 20000000, benchSelectDefault2},
	{"SelectProdCons", 4000000, benchSelectProdCons},
	{"SelectUncontended", 8000000, benchSelectUncontended},
	{"SelectSyncContended", 2000000, benchSelectSyncContended},
	{"SelectAsyncContended", 8000000, benchSelectAsyncContended},
	{"ChanPopular", 2000000, benchChanPopular},
	{"Ring", 4000000, benchRing},
	{"Sieve", 2000, benchSieve},
	{"Skynet", 1000000, benchSkynet},
	{"Park1M", 1000000, benchPark1M},
	{"WaitGroup", 20000000, benchWaitGroup},
	{"Pin", 20000000, benchPin},
	{"Mutex", 20000000, benchMutex},
	{"MutexContended", 8000000, benchMutexContended},
	{"MutexSpin", 200000, benchMutexSpin},
	{"RWMutex", 20000000, benchRWMutex},
	{"RWMutexWrite100", 8000000, benchRWMutexWrite100},
	{"RWMutexWrite10", 8000000, benchRWMutexWrite10},
	{"Once", 100000000, benchOnce},
	{"Cond", 300000, benchCond},
	{"Semaphore", 8000000, benchSemaphore},
	{"MakeChan", 2000000, benchMakeChan},
	{"Timers100k", 100000, benchTimers100k},
	{"TimerStop", 4000000, benchTimerStop},
	{"TimerReset", 10000000, benchTimerReset},
	{"SelectTimeout", 3000000, benchSelectTimeout},
	{"Ctx", 2000000, benchCtx},
	{"CtxCancel1000", 1000, benchCtxCancel1000},
	{"CtxTimeout", 2000000, benchCtxTimeout},
	{"CtxTree", 500000, benchCtxTree},
	{"CtxShared", 4000000, benchCtxShared},
	{"SelectShared", 2000000, benchSelectShared},
	{"Wake", 1000, benchWake},
	{"TailUnderLoad", 1000, benchTailUnderLoad},
	{"Fairness", 1000, benchFairness},
}

// figure prints one result.
func figure(name string, value float64, unit string) {
	fmt.Printf("%s %.2f %s\n", name, value, unit)
}

// perOp prints the time since start per operation.
func perOp(name string, start time.Time, ops int) {
	figure(name, float64(time.Since(start).Nanoseconds())/float64(ops), "ns")
}

// millis prints the time since start.
func millis(name string, start time.Time) {
	figure(name, float64(time.Since(start).Nanoseconds())/1e6, "ms")
}

// check ends the program with an error if a result is wrong.
func check(name string, got, want int) {
	if got != want {
		fail(fmt.Errorf("%s: wrong result: %d instead of %d", name, got, want))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "grow" {
		n, _ := strconv.Atoi(os.Args[3])
		grow(os.Args[2], n)
		return
	}
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fail(fmt.Errorf("usage: %s ROW [OPS] | list | version", os.Args[0]))
	}
	switch os.Args[1] {
	case "list":
		for _, r := range rows {
			fmt.Printf("%s\t%d\n", r.name, r.ops)
		}
		return
	case "echo-server":
		echoServer()
	case "http-server":
		httpServer()
	case "http-loop":
		httpLoop()
	case "kv-server":
		kvServer()
	case "version":
		fmt.Println(runtime.Version())
		return
	}
	for _, r := range rows {
		if r.name != os.Args[1] {
			continue
		}
		if len(os.Args) == 3 {
			r.ops, _ = strconv.Atoi(os.Args[2])
		}
		r.run(r.ops)
		return
	}
	fail(fmt.Errorf("no row %q", os.Args[1]))
}
