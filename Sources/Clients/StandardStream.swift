import Glibc
import UnixIPC

/// The three descriptors that every program is given.
enum StandardStream: CInt {
  case input = 0
  case output = 1
  case errors = 2

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// A descriptor of one's own for the same open file.
  func duplicate() throws(CallFailure) -> Descriptor {
    let original = Descriptor(owning: rawValue)
    do throws(CallFailure) {
      let copy = try original.duplicate(notBelow: Self.errors.rawValue + 1)
      _ = original.release()
      return copy
    } catch {
      _ = original.release()
      throw error
    }
  }

  /// Writes all of it, also where another program made the open file non-blocking.
  func write(_ bytes: UnsafeRawBufferPointer) throws(CallFailure) {
    try Descriptor.withLent(rawValue) { descriptor throws(CallFailure) in
      var rest = bytes
      while !rest.isEmpty {
        do throws(Errno) {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try descriptor.write(rest)))
        } catch {
          guard error == .wouldBlock else { throw CallFailure("write", on: "standard \(self)", errno: error) }
          guard descriptor.wait(for: .writable, until: .ofThread) else {
            throw CallFailure("write", on: "standard \(self)", errno: .timedOut)
          }
        }
      }
    }
  }

  func write(_ text: String) throws(CallFailure) {
    try Array(text.utf8).withUnsafeBufferPointer { bytes throws(CallFailure) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// One line for the user; nobody is left to tell when even that fails.
  static func complain(_ line: String) { try? errors.write(line + "\n") }

  /// A line of what was asked for.
  static func say(_ line: String) throws(CallFailure) { try output.write(line + "\n") }
}

extension PatientOutput {
  init(for stream: StandardStream) throws(CallFailure) { self.init(try stream.duplicate()) }
}
