import Glibc
@_spi(Begat) import UnixCore

/// The three descriptors that every program is given.
enum StandardStream: CInt {
  case input = 0
  case output = 1
  case errors = 2

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Whether the process has a terminal, which is not always one of the three.
  ///
  /// Source: tty(4).
  static var hasTerminal: Bool { (try? Descriptor.open("/dev/tty", .readWrite)) != nil }

  /// Whether to copy from the input to standard output would never end: both are one file, and the input has not come as
  /// far as the output, so that it would find what was written.
  ///
  /// Source: cat.c of coreutils.
  static func outputIsAhead(of input: borrowing Descriptor) -> Bool {
    var source = stat()
    var sink = stat()
    guard fstat(input.number, &source) == 0, fstat(output.rawValue, &sink) == 0, source.st_mode & S_IFMT == S_IFREG,
      source.st_dev == sink.st_dev, source.st_ino == sink.st_ino
    else { return false }
    let isAppending = fcntl(output.rawValue, F_GETFL) & O_APPEND != 0
    let end = isAppending ? sink.st_size : lseek(output.rawValue, 0, SEEK_CUR)
    let place = lseek(input.number, 0, SEEK_CUR)
    return place >= 0 && place < end
  }

  /// Refuses to copy standard input to standard output where that would never end.
  static func checkInput() throws(SystemCallError) {
    let isLoop = Descriptor.withBorrowed(input.rawValue) { outputIsAhead(of: $0) }
    if isLoop {
      throw SystemCallError("read", on: "standard input, which is the output itself", code: .invalidArgument)
    }
  }

  /// A descriptor of one's own for the same open file.
  func duplicate() throws(SystemCallError) -> Descriptor {
    let original = Descriptor(owning: rawValue)
    do throws(SystemCallError) {
      let copy = try original.duplicate(notBelow: Self.errors.rawValue + 1)
      _ = original.release()
      return copy
    } catch {
      _ = original.release()
      throw error
    }
  }

  /// Writes all of it, also where another program made the open file non-blocking.
  ///
  /// A reader that has left ends the process by SIGPIPE, as it ends any command of a pipeline, unless SIGPIPE is ignored.
  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    try Descriptor.withBorrowed(rawValue) { descriptor throws(SystemCallError) in
      var rest = bytes
      while !rest.isEmpty {
        do throws(SystemCallError) {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try descriptor.writeRaw(rest)))
        } catch {
          guard error.code == .wouldBlock else {
            throw SystemCallError("write", on: "standard \(self)", code: error.code)
          }
          guard descriptor.wait(for: .writable, until: .current) else {
            throw SystemCallError("write", on: "standard \(self)", code: .timedOut)
          }
        }
      }
    }
  }

  func write(_ text: String) throws(SystemCallError) { try write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) throws(SystemCallError) {
    try bytes.withUnsafeBufferPointer { bytes throws(SystemCallError) in try write(UnsafeRawBufferPointer(bytes)) }
  }

  /// One line for the user.  A failure to write it cannot be reported anywhere.
  static func complain(_ line: String) { try? errors.write(line + "\n") }

  /// A line of the answer.
  static func say(_ line: String) throws(SystemCallError) { try output.write(line + "\n") }
}

extension NonBlockingOutput {
  init(for stream: StandardStream) throws(SystemCallError) { self.init(try stream.duplicate()) }
}
