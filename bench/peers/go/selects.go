// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

const crowd = 1000

// SelectProdCons

func benchSelectProdCons(ops int) {
	workers := runtime.GOMAXPROCS(0)
	each := ops / workers
	values, closing := make(chan int, 128), make(chan int)
	sums := make([]int, workers)
	var wg sync.WaitGroup
	start := time.Now()

	for i := range sums {
		i := i
		wg.Add(2)
		go func() {
			defer wg.Done()
			late := time.After(time.Hour)
			for n := 0; n < each; n++ {
				select {
				case values <- 1:
				case <-late:
					fail(errors.New("late"))
				case <-closing:
					fail(errors.New("closing"))
				}
			}
			values <- 0
		}()
		go func() {
			defer wg.Done()
			late := time.After(time.Hour)
			for v := 1; v != 0; {
				select {
				case v = <-values:
					sums[i] += v
				case <-late:
					fail(errors.New("late"))
				case <-closing:
					fail(errors.New("closing"))
				}
			}
		}()
	}
	wg.Wait()
	perOp("SelectProdCons", start, ops)
	total := 0
	for _, sum := range sums {
		total += sum
	}
	check("SelectProdCons", total, each*workers)
}

// ChanPopular

func benchChanPopular(ops int) {
	times := ops / crowd
	common := make(chan int)
	own := make([]chan int, crowd)
	sums := make([]int, crowd)
	var wg sync.WaitGroup

	for i := range own {
		i, c := i, make(chan int)
		own[i] = c
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; n < times; n++ {
				select {
				case <-common:
					fail(errors.New("common"))
				case v := <-c:
					sums[i] += v
				}
			}
		}()
	}
	start := time.Now()
	for n := 0; n < times; n++ {
		for _, c := range own {
			c <- 1
		}
	}
	wg.Wait()
	perOp("ChanPopular", start, ops)
	total := 0
	for _, sum := range sums {
		total += sum
	}
	check("ChanPopular", total, times*crowd)
}

// SelectUncontended, SelectAsyncContended

func toss(a, b chan int, times int) {
	a <- 1
	for ; times > 0; times-- {
		select {
		case v := <-a:
			b <- v
		case v := <-b:
			a <- v
		}
	}
}

func runToss(name string, shared bool, ops int) {
	workers := runtime.GOMAXPROCS(0)
	n, capacity := workers, 1
	if shared {
		n, capacity = 1, workers
	}
	c := make([]chan int, 2*n)
	for i := range c {
		c[i] = make(chan int, capacity)
	}
	var wg sync.WaitGroup
	start := time.Now()
	for i := 0; i < workers; i++ {
		a, b := c[2*(i%n)], c[2*(i%n)+1]
		wg.Add(1)
		go func() {
			defer wg.Done()
			toss(a, b, ops/workers)
		}()
	}
	wg.Wait()
	perOp(name, start, ops)
	tokens := 0
	for _, one := range c {
		tokens += len(one)
	}
	check(name, tokens, workers)
}

func benchSelectUncontended(ops int) {
	runToss("SelectUncontended", false, ops)
}

func benchSelectAsyncContended(ops int) {
	runToss("SelectAsyncContended", true, ops)
}

// SelectSyncContended

func benchSelectSyncContended(ops int) {
	workers := runtime.GOMAXPROCS(0)
	each := ops / workers
	a, b, c := make(chan int), make(chan int), make(chan int)
	done := make(chan int)
	sums := make([]int, workers)
	var offers, wg sync.WaitGroup
	start := time.Now()

	for i := range sums {
		i := i
		offers.Add(1)
		go func() {
			defer offers.Done()
			for {
				select {
				case a <- 1:
				case b <- 1:
				case c <- 1:
				case <-done:
					return
				}
			}
		}()
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; n < each; n++ {
				v := 0
				select {
				case v = <-a:
				case v = <-b:
				case v = <-c:
				}
				sums[i] += v
			}
		}()
	}
	wg.Wait()
	perOp("SelectSyncContended", start, ops)
	close(done)
	offers.Wait()
	total := 0
	for _, sum := range sums {
		total += sum
	}
	check("SelectSyncContended", total, each*workers)
}
