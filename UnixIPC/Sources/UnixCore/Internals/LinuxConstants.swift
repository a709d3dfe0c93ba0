import CPlatform
import Glibc

// Constants that the C library's Swift module lacks (macros with casts, GNU extensions) or types unlike their use.

package let closeOnExecFlag = CInt(SOCK_CLOEXEC.rawValue)
package let nonBlockingFlag = CInt(SOCK_NONBLOCK.rawValue)
let noSignalFlag = CInt(MSG_NOSIGNAL)
let doNotWaitFlag = CInt(MSG_DONTWAIT)
let peekFlag = CInt(MSG_PEEK)

/// IP_BIND_ADDRESS_NO_PORT, linux/in.h
let bindAddressNoPort: CInt = 24
/// POLLRDHUP, poll.h
let hangUpOfOneDirection: Int16 = 0x2000
/// MFD_CLOEXEC, linux/memfd.h
let memoryFileCloseOnExec: UInt32 = 1
/// MFD_ALLOW_SEALING, linux/memfd.h
let memoryFileAllowSealing: UInt32 = 2
/// F_ADD_SEALS; F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_FUTURE_WRITE, linux/fcntl.h
let addSeals: CInt = 1033
let sealAgainstSeals: CInt = 1
let sealAgainstShrinking: CInt = 2
let sealAgainstGrowing: CInt = 4
let sealAgainstWriting: CInt = 16
/// IP_FREEBIND, linux/in.h; IPV6_FREEBIND, linux/in6.h
let freeBind: CInt = 15
let freeBindIPv6: CInt = 78
/// SO_BINDTODEVICE, asm-generic/socket.h
let bindToDevice: CInt = 25
/// SO_PEERGROUPS and SO_PEERPIDFD, asm-generic/socket.h
let peerGroups: CInt = 59
let peerProcessHandle: CInt = 77
/// IP_RECVERR, linux/in.h; IPV6_RECVERR, linux/in6.h
let receiveErrors: CInt = 11
let receiveErrorsIPv6: CInt = 25
/// IP_MULTICAST_ALL, linux/in.h; IPV6_MULTICAST_ALL, linux/in6.h
let multicastOfOthers: CInt = 49
let multicastOfOthersIPv6: CInt = 29
/// SO_BINDTOIFINDEX, asm-generic/socket.h
let bindToInterfaceIndex: CInt = 62
