import CPlatform
import Glibc

/// Datagrams that are sent together on a connected socket: one system call for many, and memory that is used again.
///
/// Source: sendmmsg(2).
@_spi(Begat) public struct DatagramBatch: ~Copyable {
  /// How many datagrams it holds at most.
  public static let capacity = Int(PLATFORM_MOST_DATAGRAMS)

  private let room: UnsafeMutableRawBufferPointer
  private let datagrams = UnsafeMutableBufferPointer<iovec>.allocate(capacity: capacity)
  private let largest: Int
  private var size = 0
  /// How many datagrams wait to be sent.
  public private(set) var count = 0

  /// - Parameter size: how many bytes it holds.
  /// - Parameter largest: how many bytes a datagram has at most; the rest is left out.
  public init(size: Int, largest: Int) {
    room = .allocate(byteCount: max(size, largest), alignment: 16)
    self.largest = largest
  }

  deinit {
    room.deallocate()
    datagrams.deallocate()
  }

  /// Whether there may be no room for another datagram.
  public var isFull: Bool { count == datagrams.count || room.count - size < largest }

  /// Adds what `write` writes; there must be room.
  public mutating func append(_ write: (inout ByteWriter) -> Void) {
    precondition(!isFull)
    let start = UnsafeMutableRawBufferPointer(rebasing: room[size..<(size + largest)])
    var datagram = ByteWriter(start)
    write(&datagram)
    datagrams[count] = iovec(iov_base: start.baseAddress, iov_len: datagram.count)
    count += 1
    size += datagram.count
  }

  /// Sends the datagrams from this one on, as many as are taken immediately.
  ///
  /// - Returns: how many were sent, at least 1.
  /// - Throws: when the first of them is not taken; `EAGAIN` when there is no room for it.
  public func send(from first: Int, on socket: borrowing Descriptor) throws(SystemCallError) -> Int {
    precondition(first >= 0 && first < count)
    return Int(
      try check("sendmmsg", onDescriptor: socket.number) {
        platform_send_datagrams(socket.number, datagrams.baseAddress! + first, nil, nil, UInt32(count - first))
      })
  }

  /// Forgets all datagrams, whether they were sent or not.
  public mutating func removeAll() { (count, size) = (0, 0) }
}
