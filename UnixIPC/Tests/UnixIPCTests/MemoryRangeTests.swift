import Testing

@_spi(Begat) @testable import UnixCore

@Suite(.timeLimit(.minutes(30))) struct MemoryRangeTests {
  @Test("holds mappings side by side, which children have, lack and give up together")
  func isOneThing() throws { try ProbeProgram.check("memory-range") }

  @Test("of no bytes is an error")
  func isNotEmpty() {
    let found = failure { () throws(SystemCallError) in _ = try MemoryRange(sizes: [0, 0]) }
    #expect(found == SystemCallError("mmap", on: "0 bytes", code: .invalidArgument))
  }
}
