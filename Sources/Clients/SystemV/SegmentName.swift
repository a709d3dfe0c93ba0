@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A shared memory segment as users name it: by its identifier or by its key.
public enum SegmentName: Hashable, Sendable {
  case identifier(Int32)
  case key(KeyName)

  /// Reads `32769`, an identifier as ipcs(1) shows it; and a key that does not look like one: `0x4d2`, `./file:7`.
  public init(_ text: String) throws(KeyName.Problem) {
    let isDecimal = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isDecimal else {
      do throws(KeyName.Problem) { self = .key(try KeyName(text)) } catch {
        throw KeyName.Problem(
          description: "a segment is an identifier like 32769, a key like 0x4d2, or a path with a / in it")
      }
      return
    }
    guard let identifier = Int32(text) else { throw KeyName.Problem(description: "no identifier is so great") }
    self = .identifier(identifier)
  }

  /// The segment, of any user: it was named, and the kernel decides which users may use it.
  func segment() throws(SystemCallError) -> SharedMemorySegment {
    switch self {
    case .identifier(let identifier): SharedMemorySegment(identifier: identifier)
    case .key(let name): try .open(try name.key(), owner: nil)
    }
  }
}
