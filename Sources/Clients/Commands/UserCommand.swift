import Glibc
@_spi(Begat) import UnixCore

/// A command that a user has typed, its words byte for byte.
public struct UserCommand: Hashable, Sendable {
  /// The name first.
  public let words: [[UInt8]]

  public init(_ words: [[UInt8]]) { self.words = words }
  public init(_ words: [String]) { self.words = words.map { Array($0.utf8) } }

  public var isEmpty: Bool { words.isEmpty }

  /// The commands between words that stand for a division.
  public func split(at separator: String) -> [UserCommand] {
    let separator = Array(separator.utf8)
    return words.split(separator: separator, omittingEmptySubsequences: false).map { UserCommand(Array($0)) }
  }

  /// As messages show it.
  var text: String { words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }

  /// Where the caller looks for programs.
  static var searchPath: String? { getenv("PATH").map { String(cString: $0) } }

  /// - Parameter directory: where it is going to be run, if that is elsewhere: there, and as whoever it is run as then,
  ///   a name with a slash may mean something that this process does not see, and execve(2) will tell.
  /// - Throws: why there is nothing to run, as execve(2) would tell it.
  func path(searchPath: String? = Self.searchPath, from directory: String? = nil) throws(SystemCallError) -> String {
    let name = words.first ?? []
    guard let text = String(validating: name, as: UTF8.self) else {
      throw SystemCallError("execve", on: "\(escaped(name)), a name that is not UTF-8", code: .invalidArgument)
    }
    if directory != nil, text.utf8.contains(UInt8(ascii: "/")) { return text }
    return try Program.find(text, searchPath: searchPath)
  }

  /// To be run without a shell; what this process was told to ignore, the program ignores too.
  func program(
    searchPath: String? = Self.searchPath, environment: Program.Environment = .inherited,
    directory: String? = nil
  ) throws(SystemCallError) -> Program {
    var program = Program(
      path: UnixPath(try path(searchPath: searchPath, from: directory)), argumentBytes: Array(words.dropFirst()),
      environment: environment, directory: directory.map { UnixPath($0) })
    program.argumentZeroBytes = words.first
    program.ignoredSignals = StartSignals.ignored
    return program
  }
}
