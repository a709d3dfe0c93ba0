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

/// IP_BIND_ADDRESS_NO_PORT, linux/in.h
let bindAddressNoPort: CInt = 24
/// TCP_USER_TIMEOUT, linux/tcp.h
let tcpUserTimeout: CInt = 18
/// MFD_CLOEXEC, linux/memfd.h
let memoryFileCloseOnExec: UInt32 = 1
/// RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_SIGPENDING, asm-generic/resource.h
let limitOfCoreSize: CInt = 4
let limitOfProcesses: CInt = 6
let limitOfOpenFiles: CInt = 7
let limitOfPendingSignals: CInt = 11
