import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

/// The compiler itself is asked, with the modules of this build.
@Suite(.timeLimit(.minutes(30))) struct ShortCutsTests {
  /// What must not compile, the word that the compiler's message must have, and what is written instead.
  private struct ShortCut {
    let refused: String
    let word: String
    let instead: String

    init(_ refused: String, _ word: String, instead: String) {
      self.refused = refused
      self.word = word
      self.instead = instead
    }
  }

  private static let shortCuts = [
    ShortCut(#"take("\(bytes)")"#, "Escaped", instead: #"take("\(bytes.escaped)")"#),
    ShortCut(
      #"log("from a peer: \(bytes), " + own)"#, "Escaped", instead: #"log("from a peer: \(bytes.escaped), " + own)"#),
    ShortCut(#"take("\(maybe)")"#, "Escaped", instead: #"take("\(maybe?.escaped ?? own)")"#),
    ShortCut(#"take("\(list)")"#, "Escaped", instead: #"take("\(list.map(\.escaped))")"#),
    ShortCut(#"take("\(slice)")"#, "Escaped", instead: #"take("\(slice.map(\.escaped))")"#),
    ShortCut(#"take("\(Set(list))")"#, "Escaped", instead: #"take("\(Set(list.map(\.escaped)))")"#),
    ShortCut(#"take("\(request)")"#, "Escaped", instead: #"take("\(request.name.escaped)")"#),
    ShortCut("take(String(describing: bytes))", "Escaped", instead: "take(bytes.escaped)"),
    ShortCut("take(String(bytes))", "text()", instead: "take(try bytes.text())"),
    ShortCut("take(String(decoding: bytes, as: UTF8.self))", "text()", instead: "take(try bytes.text())"),
    ShortCut("take(bytes)", "UntrustedBytes", instead: "take(try bytes.argument())"),
    ShortCut(#"take("/srv/" + bytes)"#, "path(below:)", instead: #"take(try bytes.path(below: "/srv"))"#),
    ShortCut("take(bytes + own)", "text()", instead: "take(try bytes.text() + own)"),
    ShortCut("_ = Int(bytes)", "number(in:)", instead: "_ = try bytes.number(in: 0...Int.max)"),
    ShortCut("_ = UInt16(decimal: bytes)", "number(in:)", instead: "_ = try bytes.number(in: 1...UInt16.max)"),
    ShortCut("_ = Array(bytes)", "checked(_:)", instead: "_ = try bytes.checked { $0.count == 4 }"),
    ShortCut("_ = [UInt8](bytes)", "checked(_:)", instead: "_ = bytes.withUncheckedBytes { $0.count }"),
    ShortCut("for byte in bytes { _ = byte }", "Sequence", instead: "for word in bytes.words { _ = word.count }"),
    ShortCut(#"_ = bytes == "a" + own"#, "isWord", instead: #"_ = bytes.isWord("a" + own)"#),
    ShortCut(#"_ = "quit" == bytes"#, "isWord", instead: #"_ = bytes.isWord("quit")"#),
    ShortCut(
      #"switch bytes { case "quit": break; default: break }"#, "UntrustedBytes",
      instead: "switch bytes { default: break }"),
    ShortCut(
      #"let literal: UntrustedBytes = "x"; _ = literal"#, "UntrustedBytes",
      instead: #"let made = UntrustedBytes(text: "x"); _ = made"#),
    ShortCut(
      "_ = try Descriptor.open(bytes, .readOnly)", "path(below:)",
      instead: "_ = try Descriptor.open(bytes.path(below: own), .readOnly)"
    ),
    ShortCut(
      "_ = try directory.open(beneath: bytes, .readOnly)", "relativePath()",
      instead: "_ = try directory.open(beneath: bytes.relativePath(), .readOnly)"),
    ShortCut(
      "_ = Program(path: bytes, arguments: [own])", "isWord", instead: "_ = Program(path: own, arguments: [own])"),
    ShortCut(
      #"_ = Program(path: own, arguments: ["grep", bytes])"#, "argument()",
      instead: #"_ = Program(path: own, arguments: ["grep", try bytes.argument()])"#),
    ShortCut(
      "_ = Program(path: own, arguments: list)", "argument()",
      instead: "_ = Program(path: own, arguments: try list.map { try $0.argument() })"),
  ]

  private static let beginning = """
    import UnixIPC
    func take(_ text: String) {}
    func log(_ line: String) {}
    struct Request: Untrusted { let name: UntrustedBytes }

    """
  private static let parameters =
    "_ bytes: UntrustedBytes, _ maybe: UntrustedBytes?, _ list: [UntrustedBytes], _ slice: ArraySlice<UntrustedBytes>, "
    + "_ request: Request, _ own: String, _ directory: borrowing Descriptor"

  /// A file with a function on a line of its own for each.
  private static func source(_ statements: [String]) -> String {
    beginning
      + statements.enumerated().map { "func number\($0)(\(parameters)) throws { \($1) }\n" }.joined()
  }

  @Test(
    "are refused by the compiler, with the name of the check", .enabled(if: TypeCheck.compiler != nil, "needs swiftc"))
  func areRefused() throws {
    let messages = try TypeCheck(Self.source(Self.shortCuts.map(\.refused))).errors
    let first = Self.beginning.split(separator: "\n", omittingEmptySubsequences: false).count
    for (index, shortCut) in Self.shortCuts.enumerated() {
      let found = messages.filter { $0.line == first + index }
      #expect(found.contains { $0.text.contains(shortCut.word) }, "\(shortCut.refused): \(found.map(\.text))")
    }
    // No error but theirs: a module that is not found would be one at another line.
    #expect(Set(messages.map(\.line)) == Set(first..<(first + Self.shortCuts.count)))
  }

  @Test("have a way beside them that compiles", .enabled(if: TypeCheck.compiler != nil, "needs swiftc"))
  func haveAWayBesideThem() throws {
    let messages = try TypeCheck(Self.source(Self.shortCuts.map(\.instead))).errors
    #expect(messages.isEmpty, "\(messages.map(\.text))")
  }
}
