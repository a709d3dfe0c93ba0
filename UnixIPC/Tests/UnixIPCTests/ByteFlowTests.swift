import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct ByteFlowTests {
  @Test("carries bytes bit by bit and in order")
  func carriesBytes() throws {
    var flow = ByteFlow(capacity: 8)
    var source = Array("0123456789abcdef".utf8)[...]
    var drained: [UInt8] = []
    while !(flow.hasEnded && flow.isEmpty) {
      try flow.fill { room throws(SystemCallError) in
        let part = source.prefix(room.count)
        room.copyBytes(from: part)
        source = source.dropFirst(part.count)
        return part.count
      }
      try flow.drain { bytes throws(SystemCallError) in
        let count = min(3, bytes.count)
        drained += bytes[..<count]
        return count
      }
    }
    #expect(drained == Array("0123456789abcdef".utf8))
  }

  @Test("is not filled while something waits, nor after the end")
  func isNotFilled() throws {
    var flow = ByteFlow(capacity: 8)
    var reads = 0
    func fill(_ flow: inout ByteFlow, with count: Int) throws {
      try flow.fill { _ throws(SystemCallError) in
        reads += 1
        return count
      }
    }
    try fill(&flow, with: 4)
    try fill(&flow, with: 4)
    #expect(reads == 1)
    try flow.drain { bytes throws(SystemCallError) in bytes.count }
    try fill(&flow, with: 0)
    try fill(&flow, with: 4)
    #expect(reads == 2)
    #expect(flow.hasEnded == true)
  }

  @Test("takes that nothing is there or no room for no error, and passes on others")
  func sortsErrors() throws {
    var flow = ByteFlow(capacity: 8)
    try flow.fill { _ throws(SystemCallError) in throw SystemCallError("read", code: .wouldBlock) }
    #expect(flow.wantsMore == true)
    try flow.fill { _ throws(SystemCallError) in 2 }
    try flow.drain { _ throws(SystemCallError) in throw SystemCallError("read", code: .wouldBlock) }
    #expect(flow.isEmpty == false)
    let broken = SystemCallError("write", code: .brokenPipe)
    #expect(throws: broken) { try flow.drain { _ throws(SystemCallError) in throw broken } }
    flow.abandon()
    #expect(flow.isEmpty && flow.hasEnded && !flow.wantsMore)
  }
}
