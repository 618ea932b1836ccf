// SPDX-License-Identifier: MIT
//
// main.go - the programs of programs.c, in Go: is every outcome one that weft
// has too, and does every outcome of weft come out here?
//
//	programs 1 100 50 | main [-free N] [-led N]
//
// Each program runs freely, with goroutines that give way by chance; then led:
// one goroutine at a time is let do its next operation, chosen by lot, when all
// others wait; until each outcome of weft has been seen, or so many times.
//
// That all wait for ever is seen by the states in the stacks' headings, taken
// while the world is stopped.  They are let go by closing all channels, and so
// on: a run leaves nothing behind.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

type arm struct {
	kind          byte
	object, value int
}

type op struct {
	kind       byte
	arms       []arm
	hasDefault bool
}

type program struct {
	name     string
	caps     []int
	co       [][]op
	dones    int
	outcomes map[string]bool // of weft; true: seen here
}

// What a run uses.
type run struct {
	p      *program
	chans  []chan int
	mutex  [2]sync.Mutex
	locked [2]int
	group  sync.WaitGroup
	told   atomic.Int32
	stop   atomic.Bool
	ended  atomic.Int32
	words  []*bytes.Buffer
	over   []bool
	turn   []chan bool // led: the next operation may begin
	asks   []atomic.Bool
}

// ---- reading ----

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("not a number: " + s)
	}
	return n
}

func parseArm(s string) arm {
	a := arm{kind: s[0]}
	object, value, found := strings.Cut(s[1:], ":")
	if object != "" {
		a.object = number(object)
	}
	if found {
		a.value = number(value)
	}
	return a
}

func parseOp(s string) op {
	o := op{kind: s[0]}
	if o.kind == '?' {
		s = s[1:]
	}
	for _, part := range strings.Split(s, ",") {
		if part == "d" {
			o.hasDefault = true
		} else {
			o.arms = append(o.arms, parseArm(part))
		}
	}
	return o
}

func read(in *bufio.Scanner) *program {
	p := &program{outcomes: map[string]bool{}}
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "program":
			p.name = rest
		case "caps":
			for _, s := range strings.Fields(rest) {
				p.caps = append(p.caps, number(s))
			}
		case "co":
			var ops []op
			for _, s := range strings.Fields(rest) {
				ops = append(ops, parseOp(s))
				if s == "D" {
					p.dones++
				}
			}
			p.co = append(p.co, ops)
		case "out":
			p.outcomes[rest] = false
		case "end":
			return p
		}
	}
	return nil
}

// ---- operations ----

func say(done bool, value int) string {
	if !done {
		return "z"
	}
	return strconv.Itoa(value)
}

// choose is a select, made by hand for each shape, so that it is the compiler's
// own: nil channels stand for the cases that are not there.
func (r *run) choose(o op) string {
	var in, out [3]chan int
	var v [3]int
	for i, a := range o.arms {
		if a.kind == 's' {
			out[i], v[i] = r.chans[a.object], a.value
		} else {
			in[i] = r.chans[a.object]
		}
	}
	if o.hasDefault {
		select {
		case x, ok := <-in[0]:
			return "0:" + say(ok, x)
		case x, ok := <-in[1]:
			return "1:" + say(ok, x)
		case x, ok := <-in[2]:
			return "2:" + say(ok, x)
		case out[0] <- v[0]:
			return "0:s"
		case out[1] <- v[1]:
			return "1:s"
		case out[2] <- v[2]:
			return "2:s"
		default:
			return "d"
		}
	}
	select {
	case x, ok := <-in[0]:
		return "0:" + say(ok, x)
	case x, ok := <-in[1]:
		return "1:" + say(ok, x)
	case x, ok := <-in[2]:
		return "2:" + say(ok, x)
	case out[0] <- v[0]:
		return "0:s"
	case out[1] <- v[1]:
		return "1:s"
	case out[2] <- v[2]:
		return "2:s"
	}
}

func (r *run) do(o op) (said string) {
	a := o.arms[0]
	defer func() {
		if recover() != nil {
			said = "x"
			if o.kind == 'c' {
				said = "y"
			}
		}
	}()
	switch o.kind {
	case 's':
		r.chans[a.object] <- a.value
		return "s"
	case 'r':
		v, ok := <-r.chans[a.object]
		return say(ok, v)
	case 'c':
		close(r.chans[a.object])
		return "c"
	case 'l':
		r.mutex[a.object].Lock()
		r.locked[a.object]++
		return "l" + strconv.Itoa(r.locked[a.object]-1)
	case 'u':
		r.mutex[a.object].Unlock()
		return ""
	case 'D':
		r.told.Add(1)
		r.group.Done()
		return ""
	case 'w':
		r.group.Wait()
		return "w"
	}
	return r.choose(o)
}

func giveWay(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
}

func (r *run) goroutine(who int, lots []int) {
	ops := r.p.co[who]
	for i, o := range ops {
		if r.turn != nil {
			r.asks[who].Store(true)
			<-r.turn[who]
			r.asks[who].Store(false)
		} else {
			giveWay(lots[i])
		}
		if r.stop.Load() {
			break
		}
		said := r.do(o)
		if r.stop.Load() {
			break
		}
		r.words[who].WriteString(said)
		if i+1 < len(ops) {
			r.words[who].WriteByte(',')
		}
	}
	r.over[who] = !r.stop.Load()
	r.ended.Add(1)
}

// ---- runs ----

func newRun(p *program, led bool) *run {
	n := len(p.co)
	r := &run{p: p, over: make([]bool, n), asks: make([]atomic.Bool, n)}
	for _, c := range p.caps {
		r.chans = append(r.chans, make(chan int, c))
	}
	r.group.Add(p.dones)
	for range p.co {
		r.words = append(r.words, &bytes.Buffer{})
		if led {
			r.turn = append(r.turn, make(chan bool, 1))
		}
	}
	for i := range p.co {
		lots := make([]int, len(p.co[i]))
		for k := range lots {
			lots[k] = rand.Intn(4) * rand.Intn(4)
		}
		go r.goroutine(i, lots)
	}
	return r
}

var stacks [1 << 16]byte

// quiet: all goroutines but this one wait.
func quiet() bool {
	text := stacks[:runtime.Stack(stacks[:], true)]
	for n, line := range strings.Split(string(text), "\n") {
		if n > 0 && strings.HasPrefix(line, "goroutine ") &&
			(strings.Contains(line, "[runn") ||
				strings.Contains(line, "[syscall") ||
				strings.Contains(line, "[preempt") ||
				strings.Contains(line, "[sleep")) {
			return false
		}
	}
	return true
}

func (r *run) allEnded() bool {
	return int(r.ended.Load()) == len(r.p.co)
}

func (r *run) await() {
	for i := 0; !r.allEnded(); i++ {
		if i%20 == 19 && quiet() {
			return
		}
		runtime.Gosched()
	}
}

func (r *run) lead() {
	var asking []int
	for {
		for !quiet() {
			runtime.Gosched()
		}
		asking = asking[:0]
		for i := range r.asks {
			if r.asks[i].Load() {
				asking = append(asking, i)
			}
		}
		if len(asking) == 0 {
			return
		}
		rand.Shuffle(len(asking), func(i, k int) {
			asking[i], asking[k] = asking[k], asking[i]
		})
		// Now and then several, so that one is overtaken on its way.
		for i := 0; i < len(asking) && (i == 0 || rand.Intn(4) == 0); i++ {
			r.turn[asking[i]] <- true
		}
	}
}

func (r *run) outcome() string {
	var words []string
	for i, w := range r.words {
		s := w.String()
		if !r.over[i] {
			s += "!"
		}
		words = append(words, s)
	}
	return strings.Join(words, "/")
}

func closeQuietly[T any](c chan T) {
	defer func() { _ = recover() }()
	close(c)
}

// release lets go those that wait for ever.
func (r *run) release() {
	r.stop.Store(true)
	for _, c := range r.chans {
		closeQuietly(c)
	}
	for n := int(r.told.Load()); n < r.p.dones; n++ {
		r.group.Done()
	}
	for _, c := range r.turn {
		closeQuietly(c)
	}
	for !r.allEnded() {
		for i := range r.mutex {
			r.mutex[i].TryLock()
			r.mutex[i].Unlock()
		}
		runtime.Gosched()
	}
}

func once(p *program, led bool) {
	r := newRun(p, led)
	if led {
		r.lead()
	} else {
		r.await()
	}
	text := r.outcome()
	r.release()
	if _, known := p.outcomes[text]; !known {
		fmt.Printf("program %s: Go gave \"%s\", weft never does\n",
			p.name, text)
		os.Exit(1)
	}
	p.outcomes[text] = true
}

func (p *program) unseen() (list []string) {
	for text, seen := range p.outcomes {
		if !seen {
			list = append(list, text)
		}
	}
	return
}

func main() {
	free := flag.Int("free", 200, "runs of each program")
	led := flag.Int("led", 20000, "most led runs of each program")
	flag.Parse()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	programs, outcomes, runs, unseen := 0, 0, 0, 0
	for p := read(in); p != nil; p = read(in) {
		for i := 0; i < *free; i++ {
			once(p, false)
		}
		n := 0
		for ; n < *led && len(p.unseen()) > 0; n++ {
			once(p, true)
		}
		for _, text := range p.unseen() {
			fmt.Printf("program %s: weft gives \"%s\", Go did not "+
				"in %d runs\n", p.name, text, *free+n)
			unseen++
		}
		programs++
		outcomes += len(p.outcomes)
		runs += *free + n
	}
	fmt.Printf("%d programs, %d outcomes in weft, %d not seen in %d runs "+
		"of Go\n", programs, outcomes, unseen, runs)
	if unseen > 0 || programs == 0 {
		os.Exit(1)
	}
}
