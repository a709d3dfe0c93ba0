import Glibc
import TestSupport
import Testing

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct MessageOfTheDayTests {
  @Test("is the file's text, nothing where there is none")
  func isTheText() throws {
    let directory = try TemporaryDirectory()
    try directory.write("Be kind.\n".utf8, to: "motd")
    try directory.makeDirectory("directory")
    #expect(MessageOfTheDay.read(directory["motd"]) == Array("Be kind.\n".utf8))
    #expect(MessageOfTheDay.read(directory["missing"]) == [])
    #expect(MessageOfTheDay.read(directory["directory"]) == [])
  }

  @Test("is at most 64 KiB, and a FIFO is not waited for")
  func isBounded() throws {
    let directory = try TemporaryDirectory()
    try directory.write([UInt8](repeating: 65, count: 100_000), to: "long")
    #expect(MessageOfTheDay.read(directory["long"]).count == 65536)
    #expect(MessageOfTheDay.read("/dev/zero").count == 65536)
    try #require(mkfifo(directory["fifo"], 0o600) == 0)
    #expect(MessageOfTheDay.read(directory["fifo"]) == [])
  }
}
