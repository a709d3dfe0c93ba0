import Testing

@_spi(Begat) @testable import UnixCore
@testable import UnixIPC

@Suite(.timeLimit(.minutes(30))) struct PipeTests {
  @Test("carries bytes from one end to the other, then the end")
  func carriesBytes() throws {
    let ends = try PipeEnds()
    let reading = ends.readEnd
    let writing = ends.writeEnd
    try writing.writeAll("through")
    _ = consume writing
    #expect(try reading.readToEnd() == Array("through".utf8))
  }
}
