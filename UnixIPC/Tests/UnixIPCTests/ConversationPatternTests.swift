import RegexBuilder
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct ConversationPatternTests {
  private let deadline = Deadline(after: .seconds(20))

  /// A program that writes what the arguments of printf(1) say, one after the other, when a line comes for each.
  private func writer(_ pieces: [String], bufferLimit: Int = 65536) throws -> TerminalConversation {
    let script = pieces.map { "printf '\($0)'; read line" }.joined(separator: "; ")
    let program = Program(path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"])
    return try TerminalConversation(program, bufferLimit: bufferLimit) {
      $0.echoes = false
      $0.endsLinesWithReturn = false
    }
  }

  // Its regexes have no closures.
  struct Case: @unchecked Sendable, CustomTestStringConvertible {
    let testDescription: String
    let output: String
    let patterns: [ConversationPattern]
    let index: Int
    let bytes: [UInt8]
    let before: [UInt8]
    var captures: [[UInt8]?] = []
  }

  private static let cases: [Case] = [
    Case(
      testDescription: "a literal", output: "user login: ", patterns: ["login: "], index: 0,
      bytes: Array("login: ".utf8), before: Array("user ".utf8)),
    Case(
      testDescription: "the earliest place, whatever the order", output: "xx two one", patterns: ["one", "two"],
      index: 1, bytes: Array("two".utf8), before: Array("xx ".utf8)),
    Case(
      testDescription: "the first of the list at the same place", output: "abcd",
      patterns: ["abc", "ab", .regex(#/a.*d/#)],
      index: 0, bytes: Array("abc".utf8), before: []),
    Case(
      testDescription: "a regex earlier than a literal", output: "n=17; end",
      patterns: ["end", .regex(#/n=(\d+);/#)],
      index: 1, bytes: Array("n=17;".utf8), before: [], captures: [Array("17".utf8)]),
    Case(
      testDescription: "groups that took no part", output: "b!", patterns: [.regex(#/(a)|(b)/#)], index: 0,
      bytes: [0x62], before: [], captures: [nil, [0x62]]),
    Case(
      testDescription: "LF in CR LF", output: "a\\r\\nb", patterns: [.regex(#/\nb/#)], index: 0,
      bytes: [0x0a, 0x62], before: [0x61, 0x0d]),
    Case(
      testDescription: "bytes that are no text", output: "\\377\\376ok", patterns: [.literal([0xfe, 0x6f])], index: 0,
      bytes: [0xfe, 0x6f], before: [0xff]),
    Case(
      testDescription: "a regex behind bytes that are no text", output: "\\377\\303\\251\\376<\\303\\274\\377>",
      patterns: [.regex(#/<(.+)>/#)], index: 0, bytes: [0x3c, 0xc3, 0xbc, 0xff, 0x3e],
      before: [0xff, 0xc3, 0xa9, 0xfe], captures: [[0xc3, 0xbc, 0xff]]),
    Case(
      testDescription: "nothing at all, immediately", output: "abc", patterns: [""], index: 0, bytes: [], before: []),
  ]

  @Test("finds", arguments: cases)
  func finds(expected: Case) throws {
    var conversation = try writer([expected.output])
    // All is there before it looks, so that the outcome is not the pieces' doing.
    while conversation.waitingByteCount == 0 {
      _ = try? conversation.expect("no such text", until: Deadline(after: .milliseconds(50)))
    }
    let match = try conversation.expect(expected.patterns, until: deadline)
    #expect(match.index == expected.index)
    #expect(match.bytes == expected.bytes)
    #expect(match.before == expected.before)
    #expect(match.captures == expected.captures)
  }

  @Test("keeps what came before a match, and its groups, from unchecked use")
  func isUntrusted() throws {
    var conversation = try writer(["size 17\\n"])
    let match = try conversation.expect(.regex(#/(\d+)\n|(x)/#), until: deadline)
    #expect(match.untrusted == UntrustedBytes(Array("17\n".utf8)))
    #expect(try match.untrustedBefore.text() == "size ")
    #expect(try match.untrustedCapture(1)?.number(in: 1...20) == 17)
    // One that took no part, and numbers that no group has.
    for number in [2, 3, 0, -1] { #expect(match.untrustedCapture(number) == nil) }
  }

  @Test("finds what comes in pieces, for literals and regexes", arguments: [false, true])
  func findsInPieces(isRegex: Bool) throws {
    var conversation = try writer(["lo", "gi", "n:\\303", "\\251 later"])
    let pattern: ConversationPattern = isRegex ? .regex(#/lo?gin:é/#) : "login:é"
    for _ in 0..<3 {
      let match = try conversation.expect([pattern, .timeOut], until: Deadline(after: .milliseconds(50)))
      #expect(match.index == 1)
      try conversation.sendLine()
    }
    let match = try conversation.expect(pattern, until: deadline)
    #expect(match.text == "login:é")
    let next = try conversation.expect(" later", until: deadline)
    #expect(next.before.isEmpty)
  }

  @Test("takes matches one after the other")
  func takesInOrder() throws {
    var conversation = try writer(["1 2 3 "])
    let found = try (0..<3).map { _ in try conversation.expect(.regex(#/(\d) /#), until: deadline).capture(1) }
    #expect(found == ["1", "2", "3"])
  }

  @Test("shows at the deadline what came instead")
  func showsWhatCame() throws {
    var conversation = try writer(["Pass\\033word: \\377"])
    try conversation.expect("Pass", until: deadline)
    let wrong = failure { () throws(ConversationError) in
      try conversation.expect(["login: ", .regex(#/x/#)], until: Deadline(after: .milliseconds(50)))
    }
    #expect(wrong.map { "\($0)" } == #"no "login: " or match of a regex in time; last came: "\x1bword: \xff""#)
    let match = try conversation.expect([.timeOut, "login"], until: Deadline(after: .milliseconds(1)))
    #expect(match.index == 0 && match.before == [0x1b] + Array("word: ".utf8) + [0xff] && match.bytes.isEmpty)
    // It waits there still.
    try conversation.expect("word", until: .immediate)
  }

  @Test("knows the end, as a result or as an error")
  func knowsTheEnd() throws {
    let program = Program(path: "/bin/echo", arguments: ["last words"])
    var conversation = try TerminalConversation(program)
    let wrong = failure { () throws(ConversationError) in try conversation.expect("more", until: deadline) }
    #expect(wrong == .ended(expected: #""more""#, seen: Array("last words\r\n".utf8)))
    let match = try conversation.expect(["more", .endOfFile, "words"], until: deadline)
    #expect(match.index == 2)
    let end = try conversation.expect(["more", .endOfFile], until: deadline)
    #expect(end.index == 1 && end.before == Array("\r\n".utf8))
    let again = try conversation.expect([.timeOut, .endOfFile], until: deadline)
    #expect(again.index == 1 && again.before.isEmpty)
  }

  @Test("keeps no more than its bound, and finds what is as long")
  func isBounded() throws {
    let script = "head -c 1000000 /dev/zero | tr '\\0' x; printf 'the end'; read line"
    let program = Program(path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"])
    for limit in [1, 100, 65536] {
      var conversation = try TerminalConversation(program, bufferLimit: limit)
      let wrong = failure { () throws(ConversationError) in
        try conversation.expect("never", until: Deadline(after: .seconds(1)))
      }
      let waiting = conversation.waitingByteCount
      #expect(waiting <= limit)
      #expect(conversation.droppedByteCount == UInt64(1_000_007 - waiting))
      if limit > 7 { #expect(wrong.map { "\($0)" }?.hasSuffix("xxthe end\"") == true) }
    }
    var conversation = try TerminalConversation(program, bufferLimit: 100)
    let wanted = String(repeating: "x", count: 93) + "the end"
    let match = try conversation.expect(.literal(wanted), until: deadline)
    #expect(match.text == wanted)
  }

  @Test("gives up no more searches than may be busy")
  func boundsAbandonedSearches() throws { try ProbeProgram.check("conversation-abandoned") }

  @Test("throws what a regex's own transformation throws")
  func throwsWhatARegexThrows() throws {
    struct Unwanted: Error {}
    var conversation = try writer(["17"])
    let regex = Regex { TryCapture(OneOrMore(.digit)) { (_: Substring) throws -> Int? in throw Unwanted() } }
    let wrong = failure { () throws(ConversationError) in try conversation.expect(.regex(regex), until: deadline) }
    #expect(wrong == .regex("Unwanted()"))
  }
}
