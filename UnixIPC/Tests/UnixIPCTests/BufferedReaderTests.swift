import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct BufferedReaderTests {
  /// A reader of what is written in pieces by another thread.
  private func withReader(of pieces: [String], _ body: (inout BufferedReader) throws -> Void) throws {
    let ends = try PipeEnds()
    var reader = BufferedReader(ends.readEnd)
    for piece in pieces { try ends.writeEnd.writeAll(piece) }
    _ = consume ends.writeEnd
    try body(&reader)
  }

  private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  @Test("takes lines, the last one without its end")
  func takesLines() throws {
    try withReader(of: ["one\n", "tw", "o\n\nlast"]) { reader in
      for expected in ["one", "two", "", "last", nil, nil] {
        let line = try reader.readLine()
        #expect(text(line) == expected)
      }
    }
  }

  @Test("refuses a line over the limit and keeps it")
  func refusesALongLine() throws {
    try withReader(of: ["12345\n123456\n1"]) { reader in
      let line = try reader.readLine(limit: 5)
      #expect(text(line) == "12345")
      let error = failure { () throws(SystemCallError) in try reader.readLine(limit: 5) }
      #expect(error?.code == .messageTooLong)
      let whole = try reader.readLine(limit: 6)
      #expect(text(whole) == "123456")
    }
  }

  @Test("keeps what has come when the time is up")
  func keepsWhatHasCome() throws {
    let ends = try PipeEnds()
    let writing = ends.writeEnd
    var reader = BufferedReader(ends.readEnd)
    try writing.writeAll("half")
    let line = failure { () throws(SystemCallError) in try reader.readLine(until: Deadline(after: .milliseconds(5))) }
    #expect(line?.code == .timedOut)
    let all = failure { () throws(SystemCallError) in
      try reader.readToEnd(limit: 100, until: Deadline(after: .milliseconds(5)))
    }
    #expect(all?.code == .timedOut)
    try writing.writeAll(" whole\n")
    let whole = try reader.readLine()
    #expect(text(whole) == "half whole")
  }

  @Test("takes all, or says that it is too much")
  func takesAll() throws {
    try withReader(of: ["a\nrest of it"]) { reader in
      _ = try reader.readLine()
      let error = failure { () throws(SystemCallError) in try reader.readToEnd(limit: 5) }
      #expect(error?.code == .messageTooLong)
      let rest = try reader.readToEnd(limit: 10)
      #expect(text(rest) == "rest of it")
      let nothing = try reader.readToEnd(limit: 10)
      #expect(nothing == [])
    }
  }

  @Test("takes what waits, and no more than there is")
  func takesWhatWaits() throws {
    try withReader(of: ["abcdef"]) { reader in
      let isMore = try reader.fill()
      #expect(isMore)
      let waiting = Array(reader.waiting)
      #expect(waiting == Array("abcdef".utf8))
      let taken = [reader.take(2), reader.take(-1), reader.take(.max), reader.take(1)]
      #expect(taken.map(text) == ["ab", "", "cdef", ""])
      let rest = try reader.read()
      #expect(rest == [])
      let hasEnded = reader.hasEnded
      #expect(hasEnded)
    }
  }

  @Test("keeps its deadline though the writer never pauses")
  func keepsItsDeadline() throws { try ProbeProgram.check("bound-busy") }
}
