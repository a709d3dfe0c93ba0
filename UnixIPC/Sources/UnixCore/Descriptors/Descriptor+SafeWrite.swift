import Glibc

// Old names, until all of their users have been renamed.
public let streamKind = SocketKind.stream
public let datagramKind = SocketKind.datagram
public let sequencedPacketKind = SocketKind.sequencedPacket

extension Descriptor {
  public func writeWithoutSignal(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Int { try write(bytes) }
  public func waitUntilReadable(milliseconds: CInt) -> Bool {
    wait(for: .readable, until: milliseconds < 0 ? .never : Deadline(after: .milliseconds(milliseconds)))
  }
  public static func socket(family: CInt, kind: SocketKind) throws(SystemCallError) -> Descriptor {
    try socket(family: AddressFamily(rawValue: family), kind: kind)
  }
}
