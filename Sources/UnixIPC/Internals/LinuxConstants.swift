import CPlatform
import Glibc

// Constants that the C library's Swift module lacks (macros with casts, GNU extensions) or types unlike their use.

/// `SOCK_STREAM`, `SOCK_DGRAM` and `SOCK_SEQPACKET` as socket(2) takes them.
public let streamKind = CInt(SOCK_STREAM.rawValue)
public let datagramKind = CInt(SOCK_DGRAM.rawValue)
public let sequencedPacketKind = CInt(SOCK_SEQPACKET.rawValue)

let closeOnExecFlag = CInt(SOCK_CLOEXEC.rawValue)
let nonBlockingFlag = CInt(SOCK_NONBLOCK.rawValue)
let noSignalFlag = CInt(MSG_NOSIGNAL)
let doNotWaitFlag = CInt(MSG_DONTWAIT)

/// linux/in.h
let IP_BIND_ADDRESS_NO_PORT: CInt = 24
/// linux/memfd.h
let MFD_CLOEXEC: UInt32 = 1
/// asm-generic/resource.h
let RLIMIT_CORE: CInt = 4
let RLIMIT_NPROC: CInt = 6
let RLIMIT_NOFILE: CInt = 7
let RLIMIT_SIGPENDING: CInt = 11
