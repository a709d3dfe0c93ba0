import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(1))) struct PipeTests {
  @Test("carries bytes from one end to the other, then the end")
  func carriesBytes() throws {
    let ends = try Pipe.open()
    let reading = ends.reading
    let writing = ends.writing
    try writing.writeAll("through")
    _ = consume writing
    #expect(try reading.readToEnd() == Array("through".utf8))
  }
}
