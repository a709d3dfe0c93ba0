import Glibc
@_spi(Begat) import UnixCore

/// Another program as the other side of what is tested, ended when the test lets go of it.
package final class Counterpart {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private var child: ChildProcess
  private let input: Descriptor
  private let output: Descriptor
  private var received: [UInt8] = []

  /// Where `make test-deps` unpacks programs that it does not install: `BEGAT_PEERS`, else what `make` uses.
  private static let peers =
    (getenv("BEGAT_PEERS").map { String(cString: $0) }
      ?? #filePath.replacing("/Tests/TestSupport/Counterpart.swift", with: "/.build/peers")) + "/bin"

  /// - Parameter name: the name of a program among the unpacked ones or in /usr/bin, or an absolute path.
  /// - Parameter descriptors: become its 3 and upwards.
  package init(_ name: String, _ arguments: [String], descriptors: [CInt] = []) throws {
    let peer = "\(Self.peers)/\(name)"
    let path = name.hasPrefix("/") ? name : access(peer, X_OK) == 0 ? peer : "/usr/bin/\(name)"
    let to = try PipeEnds()
    let itsInput = to.readEnd
    let from = try PipeEnds()
    let itsOutput = from.writeEnd
    let program = Program(
      path: path, arguments: arguments, environment: ["PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C.UTF-8"])
    child = try program.spawn(descriptors: [itsInput.number, itsOutput.number, itsOutput.number] + descriptors)
    input = to.writeEnd
    output = from.readEnd
  }

  /// A script for python3, which is to print a line when it is ready.
  package static func python(_ script: String, _ words: [String] = [], descriptors: [CInt] = []) throws -> Counterpart {
    try Counterpart("python3", ["-u", "-c", script] + words, descriptors: descriptors)
  }

  package var process: pid_t { child.process }

  /// The next line of its output or its errors.
  package func line(until deadline: Deadline = Deadline(after: .seconds(20))) throws -> String {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeFirst(end + 1) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      guard try receiveMore(until: deadline) else {
        throw Failure(description: "no line came, only \(escaped(received))")
      }
    }
  }

  /// The next line that contains the text.
  package func line(containing text: String) throws -> String {
    let deadline = Deadline(after: .seconds(20))
    while true {
      let line = try line(until: deadline)
      if line.contains(text) { return line }
    }
  }

  /// All that it still writes until its end.
  package func rest() throws -> String {
    while try receiveMore(until: Deadline(after: .seconds(20))) {}
    defer { received = [] }
    return String(decoding: received, as: UTF8.self)
  }

  package func tell(_ text: String) throws { try input.writeAll(text) }

  private func receiveMore(until deadline: Deadline) throws -> Bool {
    guard output.wait(for: .readable, until: deadline) else { throw Failure(description: "nothing came in time") }
    return try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      let count = try output.read(into: room)
      received += room[..<count]
      return count > 0
    }
  }
}
