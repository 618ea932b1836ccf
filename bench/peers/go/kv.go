// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"sync"
)

// A server of keys and values in Go: a map under a read-write lock, and as
// much of the protocol of Redis as redis-benchmark needs for PING, GET, SET and
// INCR.  Replies go out when there are no more requests in the buffer.
type kv struct {
	sync.RWMutex
	values map[string][]byte
}

func kvNumber(r *bufio.Reader, mark byte) (int, bool) {
	line, err := r.ReadSlice('\n')
	if err != nil || len(line) < 4 || line[0] != mark {
		return 0, false
	}
	n := 0
	for _, c := range line[1 : len(line)-2] {
		n = n*10 + int(c-'0')
	}
	return n, n >= 0 && n <= 1<<20
}

// The next request; its arguments are in buf, which grows as need be.
func kvRequest(r *bufio.Reader, args [][]byte, buf []byte) ([][]byte, []byte,
	bool) {
	n, ok := kvNumber(r, '*')
	args, buf = args[:0], buf[:0]
	for ; ok && n > 0; n-- {
		var size int
		if size, ok = kvNumber(r, '$'); !ok {
			break
		}
		from := len(buf)
		if cap(buf)-from < size+2 {
			buf = append(make([]byte, 0, 2*cap(buf)+size+2), buf...)
		}
		buf = buf[:from+size+2]
		if _, err := io.ReadFull(r, buf[from:]); err != nil {
			return args, buf, false
		}
		args = append(args, buf[from:from+size:from+size])
	}
	return args, buf, ok && len(args) > 0
}

func (s *kv) run(w *bufio.Writer, args [][]byte) {
	switch {
	case bytes.EqualFold(args[0], []byte("get")) && len(args) == 2:
		s.RLock()
		v, ok := s.values[string(args[1])]
		s.RUnlock()
		if !ok {
			w.WriteString("$-1\r\n")
			return
		}
		w.WriteByte('$')
		w.WriteString(strconv.Itoa(len(v)))
		w.WriteString("\r\n")
		w.Write(v)
		w.WriteString("\r\n")
	case bytes.EqualFold(args[0], []byte("set")) && len(args) == 3:
		v := bytes.Clone(args[2])
		s.Lock()
		s.values[string(args[1])] = v
		s.Unlock()
		w.WriteString("+OK\r\n")
	case bytes.EqualFold(args[0], []byte("incr")) && len(args) == 2:
		s.Lock()
		n, _ := strconv.ParseInt(string(s.values[string(args[1])]), 10,
			64)
		s.values[string(args[1])] = strconv.AppendInt(nil, n+1, 10)
		s.Unlock()
		w.WriteByte(':')
		w.WriteString(strconv.FormatInt(n+1, 10))
		w.WriteString("\r\n")
	case bytes.EqualFold(args[0], []byte("ping")):
		w.WriteString("+PONG\r\n")
	default:
		w.WriteString("-ERR unknown command\r\n")
	}
}

func (s *kv) serve(c net.Conn) {
	r, w := bufio.NewReaderSize(c, 16384), bufio.NewWriterSize(c, 16384)
	var args [][]byte
	var buf []byte

	defer c.Close()
	for ok := true; ; {
		if args, buf, ok = kvRequest(r, args, buf); !ok {
			return
		}
		s.run(w, args)
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
	}
}

func kvServer() {
	s := &kv{values: map[string][]byte{}}
	l := listen()
	announce(l)
	for {
		c, err := l.Accept()
		if err != nil {
			fail(err)
		}
		go s.serve(c)
	}
}
