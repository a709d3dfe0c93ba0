import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

/// process-probe, the program in which is tried what cannot be tried in a process with threads; or another one beside it.
struct ProbeProgram {
  var name = "process-probe"
  var words: [String] = []
  var directory: String?
  var leadsSession = false
  /// Given to it as 3 and upwards.
  var descriptors: [CInt] = []

  struct Result: Equatable {
    let output: String
    let status: UnixCore.ExitStatus
  }

  /// Runs a subcommand that says what is wrong, if anything is.
  static func check(_ words: String..., at location: SourceLocation = #_sourceLocation) throws {
    let result = try ProbeProgram(words: words).run()
    if !result.status.isSuccess || !result.output.isEmpty {
      Issue.record("\(result.output)(\(result.status))", sourceLocation: location)
    }
  }

  func run() throws -> Result {
    let ends = try PipeEnds()
    let output = ends.readEnd
    let writing = ends.writeEnd
    let input = try Descriptor.open("/dev/null", .readOnly)
    var program = Program(
      path: try path(), arguments: words, environment: ["SWIFT_BACKTRACE=enable=no"],
      directory: directory)
    program.argumentZero = name
    program.leadsSession = leadsSession
    let child = try program.start(descriptors: [input.number, writing.number, writing.number] + descriptors)
    _ = consume writing
    var bytes: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { room.deallocate() }
    while output.wait(for: .readable, until: Deadline(after: .milliseconds(55_000))) {
      let count = try output.read(into: room)
      if count == 0 { break }
      bytes += room[..<count]
    }
    return Result(output: String(decoding: bytes, as: UTF8.self), status: try Children.wait(for: child))
  }

  func path() throws -> String {
    let candidates = Self.buildDirectories().map { "\($0)/\(name)" }
    let found = candidates.first { access($0, X_OK) == 0 }
    return try #require(found, "\(name) is not built")
  }

  /// Beside the tests' own program, or beside the directory of the programs that are tested.
  static func buildDirectories() -> [String] {
    var room = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = room.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
    let bundles = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
    var directories = ([String(decoding: room[..<max(0, length)], as: UTF8.self)] + bundles).map { path in
      path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
    if let programs = getenv("BEGAT_PROGRAMS") { directories.append("\(String(cString: programs))/../debug") }
    return directories
  }
}

let isRoot = geteuid() == 0
