import Glibc

/// A filter of what a socket receives: a program in the kernel's classic language.
///
/// Source: SO_ATTACH_FILTER, SO_DETACH_FILTER in socket(7); linux/filter.h.
struct SocketFilter: Equatable {
  /// `struct sock_filter`.
  struct Instruction: Equatable {
    var code: UInt16
    var whenTrue: UInt8 = 0
    var whenFalse: UInt8 = 0
    var value: UInt32 = 0
  }

  /// `struct sock_fprog`.
  private struct Program {
    var count: UInt16
    var instructions: UnsafeRawPointer
  }

  let instructions: [Instruction]

  /// Drops everything: BPF_RET | BPF_K of nothing.
  static let dropEverything = SocketFilter(instructions: [Instruction(code: 0x06)])

  /// Drops the first packet of each new connection, which the client then sends again and again.  A connection whose
  /// handshake has begun completes it.
  ///
  /// A listening TCP socket's packets begin with the header of TCP, whose byte 13 has the flags SYN (2) and ACK (16).
  static let dropNewConnections = SocketFilter(instructions: [
    // BPF_LD | BPF_B | BPF_ABS; BPF_ALU | BPF_AND | BPF_K; BPF_JMP | BPF_JEQ | BPF_K; BPF_RET | BPF_K.
    Instruction(code: 0x30, value: 13), Instruction(code: 0x54, value: 0x12),
    Instruction(code: 0x15, whenFalse: 1, value: 0x02), Instruction(code: 0x06),
    Instruction(code: 0x06, value: .max),
  ])

  /// Puts the filter in the place of any other one.
  func attach(to socket: borrowing Descriptor) throws(SystemCallError) {
    let number = socket.number
    _ = try check("setsockopt SO_ATTACH_FILTER", onDescriptor: number) {
      instructions.withUnsafeBytes { instructions in
        let program = Program(count: UInt16(self.instructions.count), instructions: instructions.baseAddress!)
        return withUnsafeBytes(of: program) {
          setsockopt(number, SOL_SOCKET, SO_ATTACH_FILTER, $0.baseAddress, socklen_t($0.count))
        }
      }
    }
  }

  /// Whether a socket has this very filter.
  func isAttached(to socket: borrowing Descriptor) -> Bool {
    var found = Array(repeating: Instruction(code: 0), count: 16)
    // SO_GET_FILTER has the number of SO_ATTACH_FILTER, and counts instructions.
    var count = socklen_t(found.count)
    let number = socket.number
    let result = found.withUnsafeMutableBytes {
      getsockopt(number, SOL_SOCKET, SO_ATTACH_FILTER, $0.baseAddress, &count)
    }
    return result == 0 && Int(count) <= found.count && Array(found[..<Int(count)]) == instructions
  }

  static func detach(from socket: borrowing Descriptor) throws(SystemCallError) {
    try socket.setOption(SOL_SOCKET, SO_DETACH_FILTER, 0)
  }
}
