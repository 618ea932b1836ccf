// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

const (
	childCount = 1000
	inFlight   = 10
	sharers    = 8
	pairs      = 8
)

// made is a context with the function that ends it.
type made struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func withCancel(parent context.Context) made {
	ctx, cancel := context.WithCancel(parent)
	return made{ctx, cancel}
}

func withTimeout(parent context.Context) made {
	ctx, cancel := context.WithTimeout(parent, time.Hour)
	return made{ctx, cancel}
}

// Ctx

func cancelOne(name string, parent context.Context,
	with func(context.Context) made, ops int) {
	start := time.Now()
	ended := 0

	for n := 0; n < ops; n++ {
		m := with(parent)
		m.cancel()
		if m.ctx.Err() == context.Canceled {
			ended++
		}
	}
	perOp(name, start, ops)
	check(name, ended, ops)
}

func benchCtx(ops int) {
	root := context.Background()
	parent := withCancel(root)

	cancelOne("Ctx/cancel", root, withCancel, ops)
	cancelOne("Ctx/child", parent.ctx, withCancel, ops)
	cancelOne("Ctx/timeout", root, withTimeout, ops)
	parent.cancel()
}

// CtxCancel1000

func benchCtxCancel1000(ops int) {
	var child [childCount]made
	var took, makes time.Duration
	ended := 0

	for n := 0; n < ops; n++ {
		parent := withCancel(context.Background())
		start := time.Now()
		for i := range child {
			child[i] = withCancel(parent.ctx)
		}
		middle := time.Now()
		parent.cancel()
		took += time.Since(middle)
		makes += middle.Sub(start)
		for i := range child {
			if child[i].ctx.Err() == context.Canceled {
				ended++
			}
			child[i].cancel()
		}
	}
	all := float64(ops * childCount)
	figure("CtxCancel1000/cancel", float64(took.Nanoseconds())/all, "ns")
	figure("CtxCancel1000/make", float64(makes.Nanoseconds())/all, "ns")
	check("CtxCancel1000", ended, ops*childCount)
}

// CtxTimeout

func churnTimed(ops int) {
	var m [inFlight]made

	for n := 0; n < ops/inFlight; n++ {
		for i := range m {
			m[i] = withTimeout(context.Background())
		}
		for i := range m {
			m[i].cancel()
		}
	}
}

func timeoutAmong(name string, live, ops int) {
	m := make([]made, live)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup

	for i := range m {
		m[i] = withTimeout(context.Background())
	}
	start := time.Now()
	for i := 0; i < workers; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			churnTimed(ops / workers)
		}()
	}
	wg.Wait()
	perOp(name, start, ops)
	for i := range m {
		if m[i].ctx.Err() != nil {
			check(name, 1, 0)
		}
		m[i].cancel()
	}
}

func benchCtxTimeout(ops int) {
	timeoutAmong("CtxTimeout/40", 40, ops)
	timeoutAmong("CtxTimeout/4000", 4000, ops)
	timeoutAmong("CtxTimeout/400000", 400000, ops)
}

// CtxTree

func tree(kind string, root context.Context, depth, ops int) {
	chain := make([]made, depth)
	start := time.Now()
	name := fmt.Sprintf("CtxTree/%d-%s", depth, kind)

	for n := 0; n < ops/depth; n++ {
		parent := root
		for i := range chain {
			chain[i] = withCancel(parent)
			parent = chain[i].ctx
		}
		chain[0].cancel()
		if parent.Err() != context.Canceled {
			check(name, 0, 1)
		}
		for i := range chain {
			chain[i].cancel()
		}
	}
	perOp(name, start, ops)
}

func benchCtxTree(ops int) {
	open := withCancel(context.Background())
	cancelled := withCancel(context.Background())

	cancelled.cancel()
	for depth := 1; depth <= 1000; depth *= 10 {
		tree("background", context.Background(), depth, ops)
		tree("open", open.ctx, depth, ops)
		tree("cancelled", cancelled.ctx, depth, ops)
	}
	open.cancel()
}

// CtxShared

func childrenOf(name string, parents []made, ops int) {
	start := time.Now()
	var wg sync.WaitGroup

	for i := 0; i < sharers; i++ {
		ctx := parents[i%len(parents)].ctx
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; n < ops/sharers; n++ {
				withCancel(ctx).cancel()
			}
		}()
	}
	wg.Wait()
	perOp(name, start, ops)
}

func benchCtxShared(ops int) {
	parents := make([]made, sharers)

	for i := range parents {
		parents[i] = withCancel(context.Background())
	}
	childrenOf("CtxShared/shared", parents[:1], ops)
	childrenOf("CtxShared/private", parents, ops)
	for i := range parents {
		parents[i].cancel()
	}
}

// SelectShared

func selectProduce(out chan<- int, idle <-chan int, ctx context.Context,
	times int) {
	for ; times > 0; times-- {
		select {
		case out <- 1:
		case <-idle:
			check("SelectShared", 1, 0)
		case <-ctx.Done():
			check("SelectShared", 2, 0)
		}
	}
}

func selectConsume(in, idle <-chan int, ctx context.Context, times int,
	sum *int) {
	for ; times > 0; times-- {
		select {
		case v := <-in:
			*sum += v
		case <-idle:
			check("SelectShared", 1, 0)
		case <-ctx.Done():
			check("SelectShared", 2, 0)
		}
	}
}

func selectWith(name string, shared bool, ops int) {
	var c, idle [pairs]chan int
	var m [pairs]made
	var sum [pairs]int
	var wg sync.WaitGroup

	for i := range c {
		c[i], idle[i] = make(chan int), make(chan int)
		m[i] = withCancel(context.Background())
	}
	start := time.Now()
	for i := range c {
		i, ctx := i, m[i].ctx
		if shared {
			ctx = m[0].ctx
		}
		wg.Add(2)
		go func() {
			defer wg.Done()
			selectProduce(c[i], idle[i], ctx, ops/pairs)
		}()
		go func() {
			defer wg.Done()
			selectConsume(c[i], idle[i], ctx, ops/pairs, &sum[i])
		}()
	}
	wg.Wait()
	perOp(name, start, ops)
	total := 0
	for i := range c {
		total += sum[i]
		m[i].cancel()
	}
	check(name, total, ops)
}

func benchSelectShared(ops int) {
	selectWith("SelectShared/shared", true, ops)
	selectWith("SelectShared/private", false, ops)
}
