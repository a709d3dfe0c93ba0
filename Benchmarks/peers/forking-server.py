#!/usr/bin/env python3
"""Python's ForkingTCPServer: 4 bytes to each client (time), or a greeting and then the wait for a line (asked).

usage: forking-server.py time|asked PORT
"""

import socketserver
import struct
import sys
import time


class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True
    request_queue_size = 4096
    # Its default is 40.
    max_children = 100_000


class Time(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(struct.pack("!I", int(time.time()) + 2208988800 & 0xFFFFFFFF))


class Asked(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"Welcome to the forking server of Python. Say something.\r\n")
        self.rfile.readline()


with Server(("127.0.0.1", int(sys.argv[2])), {"time": Time, "asked": Asked}[sys.argv[1]]) as server:
    print("ready 127.0.0.1", server.server_address[1], flush=True)
    server.serve_forever()
