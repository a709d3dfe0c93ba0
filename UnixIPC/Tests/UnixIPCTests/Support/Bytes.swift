import Glibc
import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

extension Descriptor {
  /// All that comes until the end of the file, waiting at most 20 seconds for each piece.
  func readToEnd() throws -> [UInt8] {
    var bytes: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { room.deallocate() }
    while true {
      try #require(wait(for: .readable, until: Deadline(after: .milliseconds(20_000))), "nothing came")
      let count = try read(into: room)
      if count == 0 { return bytes }
      bytes += room[..<count]
    }
  }

  var isCloseOnExec: Bool { fcntl(number, F_GETFD) & FD_CLOEXEC != 0 }
  var isBlocking: Bool { fcntl(number, F_GETFL) & O_NONBLOCK == 0 }
}

/// What a writer with so much room has after the body.
func written(room size: Int = 512, _ body: (inout ByteWriter) -> Void) -> String {
  withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { room in
    var text = ByteWriter(room)
    body(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }
}

/// Why the body failed; nil when it did not.
func failure<Value: ~Copyable, Failure: Error>(of body: () throws(Failure) -> Value) -> Failure? {
  do throws(Failure) {
    _ = try body()
    return nil
  } catch { return error }
}
