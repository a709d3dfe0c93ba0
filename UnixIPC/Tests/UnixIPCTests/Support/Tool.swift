import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

/// Another program that the library has to get on with.
struct Tool {
  let path: String
  let words: [String]

  init(_ path: String, _ words: String...) {
    self.path = path
    self.words = words
  }

  static func perl(_ script: String, _ words: String...) -> Tool {
    Tool(path: "/usr/bin/perl", words: ["-e", script] + words)
  }

  private init(path: String, words: [String]) {
    self.path = path
    self.words = words
  }

  /// Starts it; what it prints, its errors too, comes out of the reading end.
  func start(output: borrowing Descriptor) throws -> ChildProcess {
    let input = try Descriptor.open("/dev/null", .readOnly)
    return try Program(path: path, arguments: words, environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"])
      .spawn(descriptors: [input.number, output.number, output.number])
  }

  /// What it prints, when it has ended well.
  func run(at location: SourceLocation = #_sourceLocation) throws -> String {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    let child = try start(output: writing)
    _ = consume writing
    let text = String(decoding: try reading.readToEnd(), as: UTF8.self)
    let status = child.status(until: Deadline(after: .seconds(20)))
    #expect(status == .exited(code: 0), "\(path): \(text)", sourceLocation: location)
    return text
  }
}
