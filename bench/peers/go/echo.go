// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"net"
	"os"
)

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	return l
}

// announce says where a server listens.
func announce(l net.Listener) {
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
}

// The server of Echo: a goroutine for each connection.
func echoServer() {
	l := listen()
	announce(l)
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 1024)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err = c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}
