"""A name server for an empty root directory: db.example is 127.0.0.1, no other name exists. Says "ready" and serves."""

import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        query, client = server.recvfrom(512)
        # The header has 12 bytes; the name's labels end with a zero, then come type and class (RFC 1035, 4.1).
        end = query.index(b"\0", 12) + 5
        kind = query[end - 4 : end - 2]
        known = query[12 : end - 4].lower() == b"\2db\7example\0"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if known and kind == b"\0\1" else b""
        flags = b"\x81\x80" if known else b"\x81\x83"
        counts = b"\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0"
        server.sendto(query[:2] + flags + counts + query[12:end] + answer, client)
