// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"io"
	"net/http"
)

const hello = "hello, world\n"

// The server of HTTP, as one writes it in Go.
func httpServer() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, hello)
	})
	l := listen()
	announce(l)
	fail(http.Serve(l, nil))
}

// No server, but what Go could do at most: whatever comes with an empty line is
// answered with the same bytes.
func httpLoop() {
	answer := []byte("HTTP/1.1 200 OK\r\n" +
		"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 13\r\n\r\n" + hello)
	end := []byte("\r\n\r\n")
	l := listen()
	announce(l)
	for {
		c, err := l.Accept()
		if err != nil {
			fail(err)
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 4096)
			have := 0
			for {
				n, err := c.Read(buf[have:])
				if err != nil {
					return
				}
				have += n
				if !bytes.HasSuffix(buf[:have], end) {
					continue
				}
				have = 0
				if _, err = c.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}
